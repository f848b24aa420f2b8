"""The real check against the real mock: all rules pass, and skipped rules are documented."""

import re

import pytest

from deadringer.contracts.check import CheckOptions, Conclusion, Outcome, run_check
from tests.mutation.servers import KEY, mock
from tests.project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole mock")]  # one check, one process


BY_CHANCE = {"window_begins_again", "run_ends_with_its_last_step"}
"""Tested or not by chance: one needs the end of a window, one a run read between two steps."""


@pytest.fixture(scope="module")
def report():
    with mock() as url:
        options = CheckOptions(url, KEY, writes_allowed=True, watch_s=30)
        return run_check(options)


def documented():
    text = (ROOT / "docs" / "explanation" / "limits.md").read_text("utf-8")
    return set(re.findall(r"^\| `(\w+)` \| \S", text, re.MULTILINE))


def test_the_mock_keeps_every_promise(report):
    failed = [one.rule for one in report.results if one.outcome is Outcome.FAILED]

    assert failed == []
    assert report.conclusion is Conclusion.PASSED


def test_every_phase_of_generated_requests_ran(report):
    assert [note for note in report.notes if note.startswith("generating requests")] == []


def test_exactly_the_documented_promises_were_not_exercised(report):
    skipped = {one.rule for one in report.results if one.outcome is Outcome.SKIPPED}

    assert skipped - BY_CHANCE == documented() - BY_CHANCE != set()
