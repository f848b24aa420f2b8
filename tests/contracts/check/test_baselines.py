"""A baseline accepts findings, and no more than these."""

from dataclasses import replace
from pathlib import Path

import pytest

from deadringer.contracts import Severity
from deadringer.contracts.check import (
    BaselineError,
    Conclusion,
    Outcome,
    Report,
    apply_baseline,
    load_baseline,
    update_baseline,
)


def test_an_accepted_breach_no_longer_fails(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"

    update_baseline(path, report)
    accepted = apply_baseline(report, load_baseline(path), fail_on=Severity.ERROR)

    assert accepted.conclusion is Conclusion.PASSED
    assert accepted.results[0].outcome is Outcome.WARNING
    assert accepted.results[0].findings[0].accepted


def test_a_new_breach_fails_in_spite_of_the_baseline(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(path, report)
    failed = report.results[0]
    elsewhere = replace(failed.findings[0], pattern="/data/steps/*/duration_ms")
    worse = replace(report, results=(replace(failed, findings=(*failed.findings, elsewhere)),))

    assert apply_baseline(worse, load_baseline(path), fail_on=Severity.ERROR).exit_code == 1


def test_a_mended_breach_is_told_so_that_the_baseline_shrinks(
    report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(path, report)
    first = replace(report.results[0], findings=(), outcome=Outcome.PASSED, tested=1)
    mended = replace(report, results=(first, *report.results[1:]), conclusion=Conclusion.PASSED)

    notes = apply_baseline(mended, load_baseline(path), fail_on=Severity.ERROR).notes

    assert any("--baseline-update removes it" in note for note in notes)


@pytest.mark.parametrize("content", ["{", "[]", '{"accepted": [{}]}'])
def test_a_malformed_baseline_says_how_to_fix_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content, "utf-8")

    with pytest.raises(BaselineError, match="--baseline-update"):
        load_baseline(path)
