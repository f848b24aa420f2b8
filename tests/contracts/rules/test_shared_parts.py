"""What rules derive from an execution is shared while it is validated, and only then."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deadringer.contracts import load_schema
from deadringer.contracts.rules import RULES, Context, Scope, apply_rules, validate_execution
from deadringer.contracts.rules.interoperability import LARGEST_SAFE, _has_only_safe_numbers
from deadringer.contracts.rules.steps import Execution, derived, parts_of, steps_of
from tests.contracts.rules.test_validate import CATALOGUE, DEFINITIONS, JSON, mutated

EXAMPLE = load_schema("execution")["examples"][0]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.composite(mutated)(), st.sampled_from([None, *DEFINITIONS.values()]), JSON)
def test_shared_parts_change_no_verdict(document: dict, definition: object, now: object) -> None:
    context = Context(definition=definition, catalogue=CATALOGUE)
    for scope, subject in ((Scope.EXECUTION, [document]), (Scope.AGED, [document, now])):
        alone = [
            violation
            for rule in RULES
            if rule.scope is scope and rule.when(*subject, context)
            for violation in rule.violations(*subject, context)
        ]

        assert apply_rules(scope, *subject, context=context) == alone


def test_a_document_that_changes_gets_the_verdict_of_what_it_is_now() -> None:
    document = copy.deepcopy(EXAMPLE)
    assert validate_execution(document) == []

    document["steps"][1]["status"] = "failed"
    found = {one.rule for one in validate_execution(document)}
    document["steps"][1]["status"] = "completed"

    assert "failed_step_says_why" in found
    assert validate_execution(document) == []


def test_a_derived_value_is_computed_once_for_an_execution_and_always_for_plain_json() -> None:
    calls = []

    @derived
    def status(execution: dict) -> str:
        calls.append(execution)
        return execution["status"]

    execution = Execution(EXAMPLE)
    assert [status(execution), status(execution)] == ["completed", "completed"]
    assert len(calls) == 1

    assert [status(EXAMPLE), status(EXAMPLE)] == ["completed", "completed"]
    assert len(calls) == 3


def test_an_execution_equals_its_json_and_has_the_valid_parts() -> None:
    execution = Execution({**EXAMPLE, "steps": [7, *EXAMPLE["steps"], None]})
    steps = steps_of(execution)

    assert execution == {**EXAMPLE, "steps": [7, *EXAMPLE["steps"], None]}
    assert [(step.index, step.pointer) for step in steps] == [(1, "/steps/1"), (2, "/steps/2")]
    assert steps[0].at("output", "a/b") == "/steps/1/output/a~1b"
    assert parts_of(execution)[1:] == steps
    assert parts_of(execution)[0].pointer == ""
    assert steps_of("no execution") == ()


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.text(max_size=3) | st.floats()
    | st.sampled_from([2**53 - 1, 2**53, -(2**53), 10**400, 0, 1.5]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["page", "duration_ms", "output", "x"]), inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_the_quick_look_at_numbers_passes_over_none_that_is_unsafe(value: object) -> None:
    assert _has_only_safe_numbers(value) is all(
        -LARGEST_SAFE <= one <= LARGEST_SAFE for one in numbers_in(value)
    )


def numbers_in(value: object) -> list:
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return [number for child in children for number in numbers_in(child)]
    return [value] if isinstance(value, int | float) else []
