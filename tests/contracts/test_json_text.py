"""JSON text: read strictly, written as UTF-8."""

import json

import pytest

from deadringer.contracts import json_bytes, read_json


def test_the_compact_form_has_no_blanks_and_keeps_the_order_of_members():
    assert json_bytes({"b": [1, 2.5], "a": None}) == b'{"b":[1,2.5],"a":null}'


def test_the_spaced_form_has_a_blank_after_each_comma_and_colon():
    assert json_bytes({"b": [1, 2]}, compact=False) == b'{"b": [1, 2]}'


@pytest.mark.parametrize("compact", [True, False])
def test_text_is_utf_8_and_half_a_surrogate_pair_its_escape(compact):
    written = json_bytes(["é 🎉", "\ud800"], compact=compact)

    assert "é 🎉".encode() in written
    assert b"\\ud800" in written
    assert json.loads(written) == ["é 🎉", "\ud800"]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1e999]", "{", ""])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text)


def test_what_is_written_reads_back():
    value = {"a": [1, 2.5, True, None, "x"]}

    assert read_json(json_bytes(value)) == value
