"""One engine validates an execution: its schema and every rule that reads one document."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deadringer.contracts import Exchange, load_schema, validate
from deadringer.contracts.rules import (
    RULES,
    Context,
    Scope,
    Settings,
    validate_execution,
    validate_pair,
)
from deadringer.contracts.validation import is_valid
from deadringer.fixtures import Recording, load_catalogue, load_recordings, load_workflows
from deadringer.fixtures.strategies import execution_histories, executions

EXAMPLE = load_schema("execution")["examples"][0]
DEFINITIONS = {one["id"]: one["workflow"] for one in load_workflows()}
CATALOGUE = frozenset(action["kind"] for action in load_catalogue())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "status", "steps", "data", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("recording", load_recordings(), ids=lambda one: one.name)
def test_every_recording_keeps_every_rule(recording: Recording) -> None:
    workflow_id = recording.execution["workflow_id"]
    context = Context(definition=DEFINITIONS[workflow_id], catalogue=CATALOGUE)

    assert validate_execution(recording.execution, context) == []


def test_a_rule_speaks_in_place_of_a_conditional_of_the_schema() -> None:
    invalid = {**EXAMPLE, "status": "running"}

    found = {(one.rule, one.pointer) for one in validate_execution(invalid)}

    assert ("running_run_has_no_end", "/ended_at") in found
    assert ("schema", "/ended_at") not in found


def test_shape_and_promises_are_told_together() -> None:
    invalid = {**EXAMPLE, "created": 5, "duration_ms": 4}

    assert {one.rule for one in validate_execution(invalid)} == {
        "schema",
        "duration_is_end_minus_start",
    }


def test_strict_is_asked_for_by_the_settings() -> None:
    extended = {**EXAMPLE, "next_year": 1}

    assert validate_execution(extended) == []
    strict = Context(settings=Settings(strict=True))
    assert [one.pointer for one in validate_execution(extended, strict)] == ["/next_year"]


def test_two_reads_of_a_finished_run_are_equal() -> None:
    assert validate_pair(EXAMPLE, copy.deepcopy(EXAMPLE)) == []
    assert validate_pair(EXAMPLE, {**EXAMPLE, "duration_ms": 1})


def mutated(draw: st.DrawFn) -> object:
    """Return an execution with one member, at any depth, replaced by any value."""
    document = copy.deepcopy(draw(executions()))
    places = [document, *document["steps"], *(document["column_config"] or ())]
    place = draw(st.sampled_from(places))
    place[draw(st.sampled_from(sorted(place)))] = draw(JSON)
    return document


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_rule_fails_on_a_malformed_document(data: st.DataObject) -> None:
    document = data.draw(st.composite(mutated)() | JSON)
    context = Context(definition=data.draw(JSON), catalogue=CATALOGUE)
    exchange = Exchange(
        method="GET",
        path="/",
        status=data.draw(st.sampled_from([200, 302, 400, 401, 404, 429, 500])),
        operation_id=data.draw(st.sampled_from(["getExecution", "listExecutions", None])),
        response_headers={"ratelimit-limit": data.draw(st.text(max_size=4))},
        response_body=data.draw(st.binary(max_size=20)),
    )
    subjects = {
        Scope.EXECUTION: [document if isinstance(document, dict) else {}],
        Scope.TEXT: [document, exchange.repeated_members],
        Scope.EXCHANGE: [exchange],
        Scope.EXCHANGES: [exchange, exchange],
        Scope.READS: [data.draw(execution_histories())[0], document],
        Scope.LIST_WALK: [[document], 5],
        Scope.LISTED_RUN: [document, data.draw(JSON)],
        Scope.LISTING: [document, data.draw(JSON)],
        Scope.LISTED_STATUS: ["failed", 1, 2],
        Scope.TEST_RUN: [document, document, data.draw(JSON)],
        Scope.BALANCE: [document, data.draw(JSON)],
        Scope.VARIABLES: [document, data.draw(JSON)],
        Scope.WORKFLOW: [document],
        Scope.AGED: [document if isinstance(document, dict) else {}, data.draw(JSON)],
        Scope.ROWS: [document, data.draw(JSON)],
        Scope.RUNS: [[document, document]],
        Scope.OWNERS: [[document, {"row": document}]],
        Scope.TIMELINE: [[document, data.draw(JSON)]],
        Scope.LISTS: [[document], [data.draw(st.text())], "details"],
        Scope.NEAR_ID: [exchange, {"data": document}],
        Scope.WINDOW: [[exchange] * 10],
    }
    for rule in RULES:
        subject = subjects.get(rule.scope, [document, {}])
        if rule.scope in {Scope.DOCUMENT, Scope.GENERATED}:
            continue
        if rule.when(*subject, context):
            list(rule.violations(*subject, context))


@settings(max_examples=150, deadline=None)
@given(st.composite(mutated)())
def test_the_fast_verdict_is_that_of_the_reference(document: object) -> None:
    from deadringer.contracts.validation import _validator

    slow = not list(_validator("execution", False).iter_errors(document))

    assert is_valid(document, "execution") is slow
    assert (not list(validate(document, "execution"))) is slow
