"""Contract faults are named, documented, and found by the check."""

from collections import Counter

import pytest

from deadringer.contracts.rules import RULES
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS, UnknownFaultError, faults_named
from deadringer.mockserver.faults.contract.docs import page
from tests.mutation.faults import FAULTS
from tests.mutation.trials import attempt
from tests.project import ROOT

CANNOT_BE_FAULTY = {
    "members_stand_once": "bytes of JSON, see tests of the reader",
    "numbers_are_read_alike": "bytes of JSON, see tests of the reader",
    "answer_arrives_whole": "violated by the transport, see test_hostile_servers",
    "generated_requests_find_nothing": "Schemathesis' own checks, see test_generated",
    "foreign_runs_are_not_found": "needs a second organisation",
    "rate_limited_answers_have_an_error_body": "the check never provokes a 429",
    "rate_limited_answers_say_how_long": "the check never provokes a 429",
    "wrong_method_is_refused": "an undocumented method is at most a warning",
    "ordinary_reads_succeed": "seen by no_server_errors and the shape first",
    "workflow_pages_stay_in_the_total": "tested by examples",
    "workflow_ids_are_unique": "tested by examples",
    "workflow_status_filter_is_kept": "tested by examples",
}
OTHER_SERVERS = {
    "detail_keeps_up_with_the_list",
    "finished_rows_never_change",
    "good_answers_have_status_200",
    "limit_is_the_same_for_all_operations",
    "list_keeps_up_with_the_detail",
    "log_ids_differ_between_runs",
    "near_ids_are_not_accepted",
    "readable_runs_stay_readable",
    "reads_change_no_list",
    "remaining_falls_with_requests",
    "rows_have_a_run_id",
    "rows_only_move_forward",
    "run_ends_with_its_last_step",
    "runs_are_listed_under_one_workflow",
    "window_begins_again",
    "window_ends_when_it_was_to_end",
}
"""Broken by the servers of tests/mutation/faults.py, most of which remember what they have sent."""
# The others take minutes.
FAST = {"page-ignored"}
CASES = [
    pytest.param(name, marks=() if name in FAST else pytest.mark.slow)
    for name in sorted(FAST | {fault.name for fault in CONTRACT_FAULTS[::10]})
]


FAST_SERVERS = {"run-id-any-case"}
SERVER_CASES = [
    pytest.param(name, marks=() if name in FAST_SERVERS else pytest.mark.slow)
    for name in sorted(FAST_SERVERS | {fault.name for fault in FAULTS[::21]})
]
"""Few of them: a check takes some 20 s, and `make mutation` tries them all."""


def test_there_are_enough_faults_and_each_has_a_name_of_its_own() -> None:
    names = Counter(fault.name for fault in CONTRACT_FAULTS)

    assert len(names) >= 80
    assert max(names.values()) == 1


def test_every_fault_breaks_a_rule_and_every_rule_has_a_fault() -> None:
    rules = {rule.name: rule.group.value for rule in RULES}
    by_rule = {fault.rule: fault.group for fault in CONTRACT_FAULTS}

    assert by_rule.items() <= rules.items()
    assert rules.keys() - by_rule.keys() == CANNOT_BE_FAULTY.keys() | OTHER_SERVERS


def test_the_page_of_faults_is_current() -> None:
    assert (ROOT / "docs/reference/contract-faults.md").read_text("utf-8") == page()


def test_an_unknown_fault_names_near_ones() -> None:
    with pytest.raises(UnknownFaultError, match="duration-in-seconds"):
        faults_named(["duration-in-second"])


@pytest.mark.parametrize("name", CASES)
def test_the_check_finds_a_fault_by_a_rule_of_its_group(name: str) -> None:
    trial = attempt("catalogue", name)

    assert trial.is_right, trial.found_by


def test_there_are_enough_other_servers_and_each_has_a_name_of_its_own() -> None:
    names = Counter(fault.name for fault in FAULTS)

    assert len(names) >= 60
    assert max(names.values()) == 1
    assert {group for fault in FAULTS for group in fault.groups} <= {
        rule.group.value for rule in RULES
    }


@pytest.mark.parametrize("name", SERVER_CASES)
def test_the_check_finds_a_faulty_server_by_a_rule_of_its_group(name: str) -> None:
    trial = attempt("servers", name)

    assert trial.is_right, trial.found_by
