"""A check of a part leaves the rest of a baseline alone, and an update reports what it did."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deadringer.contracts.check import (
    BaselineChange,
    CheckOptions,
    Report,
    apply_baseline,
    load_baseline,
    run_check,
    update_baseline,
)

from .small_server import KEY, respond_correctly, send_seconds, serving

DURATION = "duration_is_end_minus_start getExecution /data/duration_ms"
OTHERS = {
    "success_goes_with_the_status getExecution /success": "tested",
    "catalogue_total_is_its_length listActions /data/total": "never tested on this server",
    "a_rule_of_a_later_version getExecution /": "unknown",
}


def checked(url: str, **options: object) -> Report:
    chosen: dict = {"watch_s": 0, "generated_cases": 0, "run_ids": (), "workflow_ids": ()}
    return run_check(CheckOptions(url, KEY, **{**chosen, **options}))


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    entries = [{"fingerprint": name, "first_seen": "2026-01-01"} for name in (DURATION, *OTHERS)]
    path.write_text(json.dumps({"accepted": entries}))
    return path


PART = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}


@pytest.mark.parametrize(
    "options",
    [PART, {**PART, "quick": True}, {**PART, "only": ("DR035",)}, {**PART, "skip": ("time",)}],
)
def test_a_partial_check_removes_nothing(baseline: Path, options: dict) -> None:
    with serving(respond_correctly) as small:
        report = checked(small.url, **options)

    change = update_baseline(baseline, report)

    assert load_baseline(baseline).keys() >= {DURATION, *OTHERS}
    assert set(change.not_tested) == {DURATION, *OTHERS}
    assert change.removed == ()
    marked = apply_baseline(report, load_baseline(baseline), fail_on=report.fail_on)
    assert not any("was not seen" in note for note in marked.notes)


def test_a_complete_check_removes_what_it_tested_and_did_not_see(
    baseline: Path,
) -> None:
    with serving(send_seconds) as small:
        report = replace(checked(small.url, **PART), is_partial=False)

    change = update_baseline(baseline, report)

    assert change.removed == ("success_goes_with_the_status getExecution /success",)
    assert DURATION in change.kept
    assert set(change.not_tested) == set(OTHERS) - set(change.removed)
    assert load_baseline(baseline)[DURATION]["first_seen"] == "2026-01-01"
    assert str(change).endswith(
        f"{len(change.kept)} kept, 1 removed, {len(change.not_tested)} not tested and kept"
    )


def test_a_new_baseline_is_all_added(tmp_path: Path) -> None:
    with serving(send_seconds) as small:
        report = checked(small.url, **PART)

    change = update_baseline(tmp_path / "new.json", report)

    assert DURATION in change.added
    assert (change.kept, change.removed, change.not_tested) == ((), (), ())
    assert str(BaselineChange(added=("a",))) == "1 added, 0 kept, 0 removed"
