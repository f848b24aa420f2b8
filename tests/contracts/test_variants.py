"""The unions by status: typed throughout, and in agreement with schema and rules."""

import copy
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from deadringer import contracts, fixtures
from deadringer.contracts.rules import Severity, validate_execution
from deadringer.contracts.variants import KEYWORD, discriminator_of, variants_of

VALUES = [None, "", "2026-03-27T10:15:00.000Z", 5, -1, {}, {"code": "X"}, [], True]
MEMBERS = ("ended_at", "duration_ms", "error", "output")
NARROWED = {
    *("running_run_has_no_end", "finished_run_has_an_end", "failed_run_says_why"),
    *("run_that_did_not_fail_has_no_error", "unfinished_step_has_no_output"),
    *("unfinished_step_has_no_end", "step_end_and_duration_come_together"),
    *("failed_step_says_why", "step_that_did_not_fail_has_no_error"),
}
"""The rules whose meaning the unions repeat."""


def schema_nodes(node: object, path: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            if name not in {"examples", "example", "default", "const", "enum"}:
                yield from schema_nodes(value, f"{path}/{name}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from schema_nodes(value, f"{path}/{place}")


def is_untyped(node: dict) -> bool:
    kinds = node.get("type", [])
    is_array = "array" in ([kinds] if isinstance(kinds, str) else kinds)
    has_values = isinstance(node.get("enum"), list) or "const" in node
    return (has_values and not kinds) or (is_array and "items" not in node)


def component_validator(name: str) -> Draft202012Validator:
    resource = DRAFT202012.create_resource(contracts.bundle_specification())
    registry: Registry = Registry().with_resource("api", resource)
    return Draft202012Validator({"$ref": f"api#/components/schemas/{name}"}, registry=registry)


def test_generators_find_a_type_beside_every_constant_and_items_in_every_array() -> None:
    documents = {name: contracts.load_schema(name) for name in contracts.schema_names()}
    documents["bundle"] = contracts.bundle_specification()

    untyped = [
        name + path
        for name, document in documents.items()
        for path, node in schema_nodes(document)
        if not path.endswith("/properties") and is_untyped(node)
    ]

    assert untyped == []


def test_generators_find_no_list_of_types_that_they_cannot_read() -> None:
    schemas = contracts.bundle_specification()["components"]["schemas"]

    listed = [(path, node["type"]) for path, node in schema_nodes(schemas) if "type" in node]
    unreadable = [
        (path, kinds)
        for path, kinds in listed
        if not path.endswith("/properties") and len({*kinds} - {"null"}) > 1
        if isinstance(kinds, list) and {"array", "object"} & {*kinds}
    ]
    assert unreadable == []


def test_no_member_has_null_as_its_only_type() -> None:
    # OpenAPI Generator makes a class of it. A constant beside a nullable type means the same.
    schemas = contracts.bundle_specification()["components"]["schemas"]

    nulls = [path for path, node in schema_nodes(schemas) if node.get("type") == "null"]

    assert [path for path in nulls if "/anyOf/" not in path] == []
    end = schemas["RunningExecution"]["properties"]["ended_at"]
    assert (end["type"], end["const"]) == (["string", "null"], None)


def test_the_bundle_has_no_conditionals() -> None:
    schemas = contracts.bundle_specification()["components"]["schemas"]

    assert [path for path, node in schema_nodes(schemas) if {"if", "then", KEYWORD} & {*node}] == []


@pytest.mark.parametrize("name", ["execution", "execution_row", "step"])
def test_a_union_names_every_value_of_its_discriminator(name: str) -> None:
    schema = contracts.load_schema(name)
    union = contracts.bundle_specification()["components"]["schemas"][
        "".join(word.capitalize() for word in name.split("_"))
    ]

    values = schema["properties"][discriminator_of(schema)]["enum"]
    assert [*variants_of(schema)] == [*union["discriminator"]["mapping"]] == values
    assert [one["$ref"] for one in union["oneOf"]] == [*union["discriminator"]["mapping"].values()]


@pytest.mark.parametrize("status", ["running", "completed", "failed"])
def test_generated_executions_match_the_union(status: str) -> None:
    validator = component_validator("Execution")

    for number in range(40):
        execution = fixtures.Recipe(number, status=status).execution(0)
        assert [*validator.iter_errors(execution)] == []


@pytest.mark.parametrize("status", ["running", "completed", "failed"])
def test_the_union_refuses_what_schema_and_rules_refuse_and_nothing_else(status: str) -> None:
    validator = component_validator("Execution")
    execution = fixtures.Recipe(1, status=status, steps=(2, 4)).execution(0)

    for changed in changes_of(execution):
        errors = [
            one.rule
            for one in validate_execution(changed)
            if one.severity is Severity.ERROR and one.rule in {"schema", *NARROWED}
        ]
        assert validator.is_valid(changed) is (not errors), (changed, errors)


def changes_of(execution: dict) -> Iterator[dict]:
    """Yield copies with another value in one member of the run or of its first step."""
    for member in MEMBERS:
        for value in VALUES:
            if member != "output":
                yield {**copy.deepcopy(execution), member: value}
            if execution["steps"]:
                changed = copy.deepcopy(execution)
                changed["steps"][0][member] = value
                yield changed
