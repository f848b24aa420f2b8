"""A tally counts, remembers runs, is merged, and is written and read as JSON."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from deadringer.contracts import Failure
from deadringer.contracts.coverage import CoverageFormatError, CoverageTally
from deadringer.contracts.coverage import tally as module
from tests.contracts.coverage.observing import DETAIL, LIST, recorded, refused, sent

RUNNING = {**recorded("just_started"), "run_id": "run_1"}
DONE = {**recorded("documented_example"), "run_id": "run_1"}


def tally_of(*exchanges) -> CoverageTally:
    tally = CoverageTally()
    for exchange in exchanges:
        tally.observe(exchange)
    return tally


def situations_of(*exchanges) -> set[str]:
    counts = tally_of(*exchanges).counts()
    return {item.partition("/")[2] for item in counts if item.startswith("situations/")}


def test_it_counts_operation_status_and_code():
    tally = tally_of(refused(DETAIL, 404, "NOT_FOUND"), refused(DETAIL, 404, "NOT_FOUND"))

    assert tally.requests == 2
    assert dict(tally.counts()) == {
        "operations/getExecution": 2,
        "statuses/getExecution/404": 2,
        "codes/getExecution/NOT_FOUND": 2,
    }


def test_an_undocumented_code_or_status_meets_the_rest():
    tally = tally_of(refused(DETAIL, 404, "INVALID_API_KEY"), refused(DETAIL, 418, "NOT_FOUND"))

    assert dict(tally.counts()) == {
        "operations/getExecution": 2,
        "statuses/getExecution/404": 1,
        "situations/undocumented_error": 1,
    }


def test_a_broken_response_meets_no_status():
    broken = sent(DETAIL, DONE, failure=Failure.DROPPED)

    assert dict(tally_of(broken).counts()) == {
        "operations/getExecution": 1,
        "situations/connection_cut": 1,
    }
    assert situations_of(sent(DETAIL, status=0, failure=Failure.DROPPED)) == {"connection_closed"}


def test_other_methods_and_paths_are_not_counted():
    head = sent(DETAIL, DONE).__class__(
        method="HEAD", path=DETAIL, status=200, operation_id="getExecution"
    )
    unknown = head.__class__(method="GET", path="/v1/unknown", status=404)

    assert tally_of(head, unknown).requests == 0


def test_a_body_that_was_not_recorded_is_no_damaged_one():
    for status in (200, 404):
        bare = sent(DETAIL, status=status, has_unknown_body=True)

        assert situations_of(bare) == set()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (sent(DETAIL, RUNNING), sent(DETAIL, DONE), "running_then_finished"),
        (sent(DETAIL, RUNNING), sent(DETAIL, RUNNING), "still_running"),
        (refused(DETAIL, 503, "API_OFF"), sent(DETAIL, DONE), "retry_succeeds"),
        (sent(DETAIL, failure=Failure.TIMED_OUT), sent(DETAIL, DONE), "retry_succeeds"),
        (refused(DETAIL, 404, "NOT_FOUND"), sent(DETAIL, DONE), "not_found_at_first"),
        (
            sent(LIST, {"executions": [{"run_id": "run_1"}]}),
            refused(DETAIL, 404, "NOT_FOUND"),
            "listed_but_not_found",
        ),
    ],
)
def test_two_reads_of_one_run_meet_a_situation_in_their_order(first, second, expected):
    assert expected in situations_of(first, second)
    assert expected not in situations_of(second, first) or expected == "still_running"
    assert expected not in situations_of(second)


def test_reads_of_different_runs_are_not_one_series():
    other = "/v1/workflows/wf_2/executions/run_1"

    assert "running_then_finished" not in situations_of(sent(DETAIL, RUNNING), sent(other, DONE))


def test_a_304_leaves_a_run_as_it_was():
    unchanged = sent(DETAIL, status=304)

    found = situations_of(sent(DETAIL, RUNNING), unchanged, sent(DETAIL, DONE))

    assert {"not_modified", "running_then_finished"} <= found


def test_the_runs_read_longest_ago_are_dropped(monkeypatch):
    monkeypatch.setattr(module, "MOST_RUNS", 2)
    others = [sent(f"/v1/workflows/wf_1/executions/run_{n}", RUNNING) for n in (2, 3)]

    found = situations_of(sent(DETAIL, RUNNING), *others, sent(DETAIL, DONE))

    assert "running_then_finished" not in found


def test_repetitions_are_counted_by_the_sighting():
    tally = CoverageTally()
    tally.observe(sent(DETAIL, DONE)).count += 41

    assert tally.requests == 42
    assert tally.counts()["situations/run_completed"] == 42


def test_merged_tallies_add_up_in_any_form():
    one, two = tally_of(sent(DETAIL, DONE)), tally_of(sent(DETAIL, DONE), sent(LIST, {}))
    read = CoverageTally.from_json(json.loads(json.dumps(two.to_json())))

    one.merge(read)
    one.observe(sent(DETAIL, DONE))

    assert one.requests == 4
    assert one.counts()["operations/getExecution"] == 3
    assert one.to_json()["met"]["operations/listExecutions"] == 1
    assert two.to_json() == read.to_json()


def test_unknown_items_are_named_and_not_counted():
    document = {"version": 1, "requests": 2, "met": {"situations/of_tomorrow": 2}, "more": []}

    tally = CoverageTally()
    tally.merge(CoverageTally.from_json(document))

    assert tally.unknown == {"situations/of_tomorrow"}
    assert tally.to_json() == {"version": 1, "requests": 2, "met": {}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "no members"),
        ({"version": 1, "requests": 1}, "no members"),
        ({"version": 1, "requests": 1, "met": []}, "no members"),
        ({"version": 2, "requests": 1, "met": {}}, "has version 2, this program reads 1"),
        ({"version": 1, "requests": -1, "met": {}}, "whole numbers"),
        ({"version": 1, "requests": 1, "met": {"operations/getExecution": True}}, "whole numbers"),
        ({"version": 1, "requests": 1, "met": {"operations/getExecution": "1"}}, "whole numbers"),
    ],
)
def test_another_document_is_refused_with_the_reason(document, message):
    with pytest.raises(CoverageFormatError, match=message):
        CoverageTally.from_json(document)


def test_threads_share_a_tally():
    tally = CoverageTally()
    exchange = sent(DETAIL, DONE)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: tally.observe(exchange), range(400)))

    assert tally.requests == 400
    assert tally.counts()["situations/run_completed"] == 400
