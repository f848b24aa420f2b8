"""A series of exchanges: what is found in it, and what must not be."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from deadringer.contracts import Exchange, JsonObject, load_schema, operation_at
from deadringer.contracts.check import TrafficOptions, TrafficValidator
from deadringer.contracts.redaction import GrowingRedactor
from deadringer.contracts.rules import Severity, select
from deadringer.contracts.traffic import BoundedStore, RateSeries

KEY = "trig_a_key_of_the_tests_0001"
EXAMPLE = load_schema("execution")["examples"][0]
WORKFLOW, RUN = EXAMPLE["workflow_id"], EXAMPLE["run_id"]
DETAIL = f"/v1/workflows/{WORKFLOW}/executions/{RUN}"
LIST = f"/v1/workflows/{WORKFLOW}/executions"
SENT_AT = "Fri, 27 Mar 2026 10:15:10 GMT"
ROW = {
    "run_id": RUN,
    "status": "completed",
    "started_at": EXAMPLE["started_at"],
    "completed_at": EXAMPLE["ended_at"],
    "duration": EXAMPLE["duration_ms"],
    "error": None,
}


def validator(now_s: float = 0, **options) -> TrafficValidator:
    """Return a validator; `now_s` is the time of its clock."""
    chosen = TrafficOptions("https://api.test", **options)
    return TrafficValidator(chosen, GrowingRedactor([KEY]), now_s=lambda: now_s)


def exchange(
    path: str, body: object, *, status: int = 200, at_s: float = 0, took_s: float = 0.1, **parts
) -> Exchange:
    """Return an exchange at a time; `parts` replace members, and `remaining` a header."""
    found = operation_at(parts.get("method", "GET"), path.partition("?")[0])
    assert found
    remaining = parts.pop("remaining", 99 - int(at_s))
    headers = {
        "date": SENT_AT,
        "content-type": "application/json",
        "ratelimit-limit": "100",
        "ratelimit-remaining": str(remaining),
        "ratelimit-reset": str(60 - int(at_s) % 60),
    }
    return Exchange(
        **{
            "method": "GET",
            "path": found[1],
            "status": status,
            "operation_id": found[0].operation_id,
            "path_parameters": found[2],
            "request_headers": {"x-api-key": KEY},
            "response_headers": headers | parts.pop("headers", {}),
            "response_body": json.dumps(body).encode() if body is not None else b"",
            "sent_at_s": at_s,
            "elapsed_s": took_s,
            **parts,
        }
    )


def good(data: JsonObject) -> JsonObject:
    return {"success": True, "data": data}


def page(*rows: JsonObject) -> JsonObject:
    paging = {"page": 1, "page_size": 20, "total_count": len(rows), "total_pages": 1}
    return good({"executions": [*rows], "pagination": paging})


def error(code: str, message: str = "No") -> JsonObject:
    return {
        "success": False,
        "error": {"code": code, "message": message, "details": None, "suggestion": None},
    }


def rules_of(*exchanges: Exchange) -> list[set[str]]:
    """Return the rules that each exchange of a series violates."""
    series = validator()
    return [{one.rule for one in series.observe(each)} for each in exchanges]


def test_a_correct_series_has_no_violation_and_passes() -> None:
    series = validator(fail_on=Severity.WARNING)
    exchanges = [
        exchange(LIST, page(ROW), at_s=1),
        exchange(DETAIL, good(EXAMPLE), at_s=2),
        exchange(LIST, page(ROW), at_s=3),
        exchange(DETAIL, good(EXAMPLE), at_s=4),
    ]

    assert [series.observe(one) for one in exchanges] == [[], [], [], []]
    report = series.report()
    tested = {one.rule for one in report.results if one.tested}
    assert (report.conclusion, report.exit_code, report.requests) == ("passed", 0, 4)
    assert {
        *("schema", "duration_is_end_minus_start", "finished_runs_never_change"),
        *("rows_agree_with_the_detail", "remaining_never_rises_in_a_window"),
        *("finished_rows_never_change", "runs_are_listed_under_one_workflow"),
    } <= tested


def test_nothing_seen_is_inconclusive() -> None:
    report = validator().report()

    assert (report.conclusion, report.exit_code) == ("inconclusive", 2)
    assert "no response of the API" in report.reason


def test_a_violation_fails_the_report_and_shows_its_request() -> None:
    series = validator()
    wrong = {**EXAMPLE, "duration_ms": 1}

    (found,) = series.observe(exchange(DETAIL, good(wrong)))
    report = series.report()

    assert (found.rule, found.pointer) == ("duration_is_end_minus_start", "/data/duration_ms")
    assert report.exit_code == 1
    (failure,) = report.failures
    example = failure.findings[0].examples[0]
    assert example.request == f"GET {DETAIL} -> 200"
    assert '"x-api-key: $DEADRINGER_API_KEY"' in example.curl
    assert KEY not in repr(report)


def test_a_warning_fails_only_where_it_is_to() -> None:
    bare = exchange(DETAIL, good(EXAMPLE), headers={"date": SENT_AT})
    bare = replace(bare, response_headers={"content-type": "application/json"})

    for fail_on, code in ((Severity.ERROR, 0), (Severity.WARNING, 1)):
        series = validator(fail_on=fail_on)
        assert {one.rule for one in series.observe(bare)} == {
            "rate_limit_headers_are_on_every_answer"
        }
        assert series.report().exit_code == code


def test_a_list_that_disagrees_with_a_later_detail_is_found_at_once() -> None:
    found = rules_of(
        exchange(LIST, page({**ROW, "duration": 4}), at_s=1),
        exchange(DETAIL, good(EXAMPLE), at_s=2),
    )

    assert "rows_agree_with_the_detail" in found[1]


def test_a_finished_run_that_changes_is_found() -> None:
    changed = {**EXAMPLE, "event_name": "workflows/other"}

    found = rules_of(
        exchange(DETAIL, good(EXAMPLE), at_s=1), exchange(DETAIL, good(changed), at_s=2)
    )

    assert {"origin_never_changes", "finished_runs_never_change"} <= found[1]


def test_concurrent_reads_are_not_compared() -> None:
    running = {
        **EXAMPLE,
        "status": "running",
        "ended_at": None,
        "duration_ms": None,
        "steps": [],
    }

    found = rules_of(
        exchange(DETAIL, good(EXAMPLE), at_s=1, took_s=0.1),
        exchange(DETAIL, good(running), at_s=0.9, took_s=3),
    )

    assert found == [set(), set()]


def test_counts_of_concurrent_requests_may_step_back() -> None:
    found = rules_of(
        exchange(DETAIL, good(EXAMPLE), at_s=1, took_s=0.1, remaining=90),
        exchange(DETAIL, good(EXAMPLE), at_s=1.05, took_s=0.2, remaining=91),
        exchange(DETAIL, good(EXAMPLE), at_s=3, took_s=0.1, remaining=95),
    )

    assert found[:2] == [set(), set()]
    assert "remaining_never_rises_in_a_window" in found[2]


@pytest.mark.parametrize(
    "one",
    [
        exchange(
            DETAIL, None, status=304, request_headers={"x-api-key": KEY, "if-none-match": "x"}
        ),
        exchange(
            "/v1/workflows",
            None,
            status=304,
            request_headers={"x-api-key": KEY, "if-none-match": "x"},
        ),
        replace(exchange(DETAIL, None), method="HEAD"),
        exchange(DETAIL, None, has_unknown_body=True),
        exchange(DETAIL, error("NOT_FOUND"), status=404),
        exchange(LIST, error("VALIDATION_ERROR"), status=400, query={"page": "0"}),
        exchange(LIST, page(ROW), query={"page": "zero", "page_size": "101"}),
        exchange(DETAIL, error("AUTH_REQUIRED"), status=401, request_headers={}),
        exchange(DETAIL, error("INVALID_API_KEY"), status=401),
        exchange(DETAIL, good(EXAMPLE), request_headers={"cookie": "session=1"}),
        exchange(DETAIL, good(EXAMPLE), request_headers={"x-gateway-token": "1"}),
        exchange(DETAIL, {}, status=206, request_headers={"x-api-key": KEY, "range": "bytes=0-1"}),
        exchange(DETAIL, error("RATE_LIMITED"), status=429),
    ],
    ids=str,
)
def test_what_clients_do_is_no_violation(one: Exchange) -> None:
    assert rules_of(one) == [set()]


ACTIONS = [{"kind": "a", "name": "A", "category": "ai", "inputs": []}]


@pytest.mark.parametrize(("category", "is_found"), [("crm", True), ("unheard-of", False)])
def test_what_an_undocumented_filter_does_is_open(category: str, is_found: bool) -> None:
    page = good({"items": ACTIONS, "total": 1})

    (found,) = rules_of(exchange("/v1/workflows/actions", page, query={"category": category}))

    assert found == ({"catalogue_category_is_kept"} if is_found else set())


def test_a_response_without_a_key_is_a_violation() -> None:
    assert rules_of(exchange(DETAIL, good(EXAMPLE), request_headers={"accept": "*/*"})) == [
        {"requests_without_good_key_are_refused"}
    ]


def test_callers_are_not_mixed() -> None:
    other = {**EXAMPLE, "event_name": "workflows/other"}
    callers = (
        {"x-api-key": KEY},
        {"x-api-key": "trig_a_key_of_another_caller_2"},
        {"x-api-key": KEY, "x-mock-session": "two"},
        {"cookie": "session=2"},
        {"cookie": "session=3"},
    )

    for one, next_one in pairwise(callers):
        first = exchange(DETAIL, good(EXAMPLE), at_s=1, request_headers=one)
        second = exchange(DETAIL, good(other), at_s=2, request_headers=next_one)
        assert rules_of(first, second) == [set(), set()]


def test_a_run_that_cannot_be_read_any_more_is_found_at_its_second_404() -> None:
    missing = error("NOT_FOUND")

    found = rules_of(
        exchange(DETAIL, missing, status=404, at_s=1),
        exchange(DETAIL, good(EXAMPLE), at_s=2),
        exchange(DETAIL, missing, status=404, at_s=3),
        exchange(DETAIL, missing, status=404, at_s=4),
    )

    assert found == [set(), set(), set(), {"readable_runs_stay_readable"}]


def test_a_deleted_workflow_may_lose_its_runs() -> None:
    series, missing = validator(), error("NOT_FOUND")
    series.observe(exchange(DETAIL, good(EXAMPLE), at_s=1))
    series.note_write("DELETE", f"/v1/workflows/{WORKFLOW}")

    for at_s in (2, 3, 4):
        assert series.observe(exchange(DETAIL, missing, status=404, at_s=at_s)) == []


def described(**changes: str) -> JsonObject:
    """Return the workflow of the example, with its two actions."""
    actions = [
        {"id": one["step_id"], "kind": one["operation"], "name": one["step_name"], "inputs": {}}
        for one in EXAMPLE["steps"]
    ]
    first, second = (one["id"] for one in actions)
    edges = [{"from": "$source", "to": first}, {"from": first, "to": second}]
    definition = {
        "trigger": {"kind": EXAMPLE["event_name"], "inputs": {}},
        "actions": actions,
        "edges": edges,
    }
    return {
        "id": WORKFLOW,
        "name": "Example",
        "description": None,
        "workflow": definition,
        "enabled": True,
        "status": "PUBLISHED",
        "social_saved_search_id": None,
        "created": "2026-01-01T00:00:00.000Z",
        "updated": "2026-01-02T00:00:00.000Z",
        **changes,
    }


WRONG_NAME = {
    **EXAMPLE,
    "steps": [{**EXAMPLE["steps"][0], "step_name": "Another"}, *EXAMPLE["steps"][1:]],
}


def test_a_definition_that_was_read_is_used() -> None:
    series = validator()
    assert series.observe(exchange(f"/v1/workflows/{WORKFLOW}", good(described()), at_s=1)) == []

    (found,) = series.observe(exchange(DETAIL, good(WRONG_NAME), at_s=2))

    assert (found.rule, found.severity) == (
        "steps_carry_kind_and_name_of_their_action",
        Severity.ERROR,
    )


@pytest.mark.parametrize(
    ("updated", "read_at"),
    [
        ("2026-03-28T00:00:00.000Z", SENT_AT),
        ("2026-01-02T00:00:00.000Z", "Fri, 27 Mar 2026 10:14:59 GMT"),
        ("never", SENT_AT),
    ],
    ids=["updated since", "read before the run began", "unknown"],
)
def test_a_definition_that_may_have_changed_makes_warnings(updated: str, read_at: str) -> None:
    series = validator(rules=select(only=["definition"]))
    workflow = good(described(updated=updated))
    path = f"/v1/workflows/{WORKFLOW}"
    series.observe(exchange(path, workflow, at_s=1, headers={"date": read_at}))

    (found,) = series.observe(exchange(DETAIL, good(WRONG_NAME), at_s=2))

    assert found.severity is Severity.WARNING


def test_the_definition_of_an_edited_workflow_is_not_used() -> None:
    series = validator()
    series.observe(exchange(f"/v1/workflows/{WORKFLOW}", good(described()), at_s=1))
    series.note_write("PUT", f"/v1/workflows/{WORKFLOW}/draft")

    assert series.observe(exchange(DETAIL, good(WRONG_NAME), at_s=2)) == []


def test_a_forgotten_read_is_not_compared() -> None:
    series = validator(now_s=1.5)
    series.observe(exchange(DETAIL, good(EXAMPLE), at_s=1))
    series.forget()

    changed = {**EXAMPLE, "event_name": "workflows/other"}
    assert series.observe(exchange(DETAIL, good(changed), at_s=2)) == []


def test_a_read_from_before_a_reset_that_ends_after_it_is_not_compared() -> None:
    series = validator(now_s=1.5)
    changed = {**EXAMPLE, "event_name": "workflows/other"}
    series.forget()
    series.observe(exchange(DETAIL, good(EXAMPLE), at_s=1, took_s=2))

    assert series.observe(exchange(DETAIL, good(changed), at_s=4)) == []
    assert series.observe(exchange(DETAIL, good(EXAMPLE), at_s=5)) != []


@pytest.mark.parametrize("status", [[], {}, 5, None, True])
def test_members_of_any_type_raise_nothing(status: object) -> None:
    notes: list[str] = []
    options = TrafficOptions("https://api.test")
    series = TrafficValidator(options, GrowingRedactor(), notes.append)
    execution = {**EXAMPLE, "status": status, "id": status, "run_id": status}

    for at_s in (1, 2):
        series.observe(exchange(DETAIL, good(execution), at_s=at_s))
        series.observe(exchange(LIST, page({**ROW, "status": status}), at_s=at_s + 0.5))
        series.observe(exchange(LIST, {"data": {"executions": [status]}}, at_s=at_s + 0.7))

    assert notes == []


def test_what_is_remembered_is_bounded() -> None:
    store: BoundedStore[int, str] = BoundedStore(3, most_weight=10)
    for number in range(4):
        store.put(number, str(number), weight=2)
    store.get(1)
    store.put(9, "9", weight=7)

    assert store.newest() == [(9, "9"), (1, "1")]

    rates = RateSeries()
    for number in range(2500):
        for _ in rates.parts(exchange(DETAIL, good(EXAMPLE), at_s=number / 100, remaining=50)):
            pass
    assert len(rates._window) <= 1001
