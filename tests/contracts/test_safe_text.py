"""Text from elsewhere is safe to show, and JSON stays the same value."""

import json

import pytest

from deadringer.contracts import escaped


@pytest.mark.parametrize(
    "sign",
    [
        "\x00",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u200e",
        "\u2028",
        "\u202e",
        "\u2066",
        "\ud800",
        "\r",
    ],
)
def test_what_could_steer_a_terminal_is_escaped(sign: str) -> None:
    assert escaped(f"a{sign}b\n", keep="\n") == f"a\\u{ord(sign):04x}b\n"


def test_inside_json_it_is_the_same_value() -> None:
    value = {"a\u202e": "\x9b \ud800 é 🎉 \u2028"}

    assert json.loads(escaped(json.dumps(value, ensure_ascii=False))) == value


def test_other_text_stays() -> None:
    assert escaped("é 🎉 👩‍🚀 עברית \tx", keep="\t") == "é 🎉 👩‍🚀 עברית \tx"
