"""Every combination of status, member and state is refused by a rule, or allowed for a reason."""

from deadringer.contracts.rules.combinations import _REASONS, STEPS, combinations, page
from tests.project import ROOT

ALL = tuple(combinations())


def test_what_is_allowed_has_a_reason() -> None:
    allowed = [one for one in ALL if not one.refused_by]

    assert [one for one in allowed if not one.reason] == []


def test_no_reason_is_left_over() -> None:
    allowed = {(one.level, one.member, one.state) for one in ALL if not one.refused_by}

    assert _REASONS.keys() == allowed


def test_an_ended_step_needs_an_end_and_a_start_is_never_missing() -> None:
    refused = {(one.status, one.member, one.state) for one in ALL if one.refused_by}

    for state in ("null", "missing", "empty", "wrong type"):
        for status in ("completed", "failed"):
            assert {(status, "ended_at", state), (status, "duration_ms", state)} <= refused
        assert {(status, "started_at", state) for status in STEPS} <= refused


def test_the_page_of_combinations_is_current() -> None:
    assert (ROOT / "docs/reference/combinations.md").read_text("utf-8") == page()
