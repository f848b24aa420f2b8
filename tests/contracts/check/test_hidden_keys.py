"""A report never holds the key, whatever was sent and whatever came back."""

import subprocess

import pytest

from deadringer.contracts.check import FORMATS, CheckOptions, run_check
from deadringer.contracts.redaction import KeyHider
from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mutation.servers import serving

KEY = "trig_0123456789abcdefghij"


def test_no_format_of_a_report_tells_the_key_or_one_near_it() -> None:
    faults = ("key-in-query", "key-prefix-is-enough", "key-echoed")
    with serving(build_app(Settings(api_keys=(KEY,), breaks=faults))) as url:
        report = run_check(CheckOptions(url, KEY, only=("auth",), quick=True))

    assert len([one for one in report.promises if one.findings]) >= 2
    for name, render in FORMATS.items():
        assert KEY[:-1] not in render(report), name


@pytest.mark.parametrize("sent", [KEY, KEY + "x", KEY[:-1] + "a", KEY[:-1], f"a {KEY} b'c $d", "n"])
def test_the_curl_line_still_sends_what_was_sent(sent):
    word = KeyHider(KEY).word(sent)
    command = ["sh", "-c", f"printf %s {word}"]
    shown = subprocess.run(
        command, env={"DEADRINGER_API_KEY": KEY}, capture_output=True, text=True, check=True
    )

    assert shown.stdout == sent
    assert KEY[:-1] not in word


def test_a_key_that_stands_everywhere_is_none():
    assert KeyHider("a").json({"a": ["banana"]}) == {"a": ["banana"]}
    assert KeyHider(KEY).json({KEY: [f"so {KEY}!"], "n": 1}) == {"***": ["so ***!"], "n": 1}
