"""Validation by schema: every violation has its place, the expected and the actual value."""

import copy

import pytest

from deadringer import contracts
from deadringer.contracts import Severity, UnknownSchemaError, load_schema, validate


@pytest.fixture
def execution() -> dict:
    return copy.deepcopy(load_schema("execution")["examples"][0])


def violations(instance: object, schema: str = "execution", *, strict: bool = False) -> dict:
    return {one.pointer: one for one in validate(instance, schema, strict=strict)}


@pytest.mark.parametrize("name", contracts.schema_names())
def test_every_schema_describes_itself_and_its_members(name: str) -> None:
    schema = load_schema(name)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.json"
    assert schema["title"]
    assert schema["description"]
    assert undescribed(schema) == []


def undescribed(schema: object, place: str = "") -> list[str]:
    found = []
    if isinstance(schema, dict):
        typed = schema.get("type") == "object" or place == ""
        for name, member in schema.get("properties", {}).items() if typed else ():
            if "description" not in member:
                found.append(f"{place}/{name}")
        for key, value in schema.items():
            if key not in {"examples", "allOf", "enum", "const"}:
                found += undescribed(value, f"{place}/{key}")
    return found


@pytest.mark.parametrize("name", contracts.schema_names())
def test_every_example_of_a_schema_keeps_it_even_strictly(name: str) -> None:
    schema = load_schema(name)

    assert schema["examples"]
    for example in schema["examples"]:
        assert list(validate(example, name, strict=True)) == []


@pytest.mark.parametrize("name", contracts.schema_names())
def test_every_example_of_a_member_keeps_its_type(name: str) -> None:
    for member, schema in load_schema(name).get("properties", {}).items():
        for example in schema.get("examples", []):
            document = {**load_schema(name)["examples"][0], member: example}
            blamed = [
                one.pointer
                for one in validate(document, name)
                if one.pointer.startswith(f"/{member}") and "/then/" not in one.source
            ]
            assert blamed == [], (member, example)


def test_a_breach_names_place_expectation_finding_and_remedy(execution: dict) -> None:
    execution["steps"][1]["duration_ms"] = "1800"

    (violation,) = validate(execution, "execution")

    assert violation.pointer == "/steps/1/duration_ms"
    assert violation.expected == "type integer or null"
    assert violation.got == '"1800"'
    assert violation.fix == "use a value of type integer or null"
    assert violation.severity is Severity.ERROR
    assert violation.source.startswith("contracts/schemas/execution.json#/properties/steps")
    assert violation.message == 'expected type integer or null, got "1800"'


def test_every_missing_member_is_told(execution: dict) -> None:
    del execution["run_id"], execution["steps"][0]["input"]

    found = [(one.pointer, one.expected) for one in validate(execution, "execution")]

    assert sorted(found) == [("", 'member "run_id"'), ("/steps/0", 'member "input"')]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"status": "running"}, {"/ended_at", "/duration_ms"}),
        ({"status": "failed"}, {"/error"}),
        ({"status": "failed", "error": ""}, {"/error"}),
        ({"status": "done"}, {"/status"}),
        ({"started_at": "2026-03-27T10:15:00.000"}, {"/started_at"}),
        ({"started_at": None}, {"/started_at"}),
        ({"steps": None}, {"/steps"}),
        ({"duration_ms": -1}, {"/duration_ms"}),
    ],
)
def test_documented_promises_a_schema_can_say_are_said(
    execution: dict, changes: dict, pointers: set[str]
) -> None:
    assert violations(execution | changes).keys() == pointers


def test_a_failed_step_must_say_why(execution: dict) -> None:
    execution["steps"][0]["status"] = "failed"
    assert violations(execution).keys() == {"/steps/0/error"}

    execution["steps"][0]["error"] = {"code": "TIMEOUT"}
    assert violations(execution) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_ms": 4320.0},
        {"column_config": []},
        {"column_config": None},
        {"ended_at": "2026-03-27T12:15:04.32+02:00"},
        {"a_member_of_next_year": {"x": 1}},
        {"run_id": "V1StGXR8_Z5jdHi6B-myT"},
    ],
)
def test_what_the_contract_tolerates_is_no_breach(execution: dict, changes: dict) -> None:
    assert violations(execution | changes) == {}


@pytest.mark.parametrize("member", ["output", "mapped_output", "error"])
def test_an_absent_member_counts_as_null_where_the_contract_says_so(
    execution: dict, member: str
) -> None:
    del execution["steps"][1][member]
    del execution["column_config"]

    assert violations(execution) == {}


def test_strict_reports_unknown_members_wherever_they_stand(execution: dict) -> None:
    execution["extra"] = 1
    execution["steps"][0]["extra"] = 2
    execution["column_config"][0]["extra"] = 3
    execution["steps"][0]["output"]["free"] = "outputs are free"

    assert violations(execution) == {}
    assert violations(execution, strict=True).keys() == {
        "/extra",
        "/steps/0/extra",
        "/column_config/0/extra",
    }


def test_under_any_of_the_error_of_the_branch_that_fits_best_is_told() -> None:
    body = {"success": False, "error": {"code": 5, "message": "Unauthorized"}}

    found = violations(body, "error_unauthorized")

    assert found.keys() == {"/error/code"}


def test_an_unknown_schema_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownSchemaError, match=r"Did you mean 'execution'\? Known: .*step"):
        list(validate({}, "execuion"))
