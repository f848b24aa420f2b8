"""The specification is well formed, self-contained when bundled, and its examples match it."""

import json

import pytest
from openapi_spec_validator import validate as validate_openapi
from openapi_spec_validator.readers import read_from_filename

from deadringer import contracts
from tests.project import ROOT


def _resolved(node: dict) -> dict:
    if "$ref" not in node:
        return node
    target: dict = contracts.bundle_specification()
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target


def _objects(node: object):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for item in node:
            yield from _objects(item)


def test_openapi_yaml_is_a_valid_openapi_document() -> None:
    specification, base_uri = read_from_filename(str(ROOT / "openapi.yaml"))

    validate_openapi(specification, base_uri=base_uri)


def test_the_bundle_is_valid_and_holds_no_reference_to_a_file() -> None:
    bundle = contracts.bundle_specification()

    validate_openapi(bundle)

    references = [node["$ref"] for node in _objects(bundle) if isinstance(node.get("$ref"), str)]
    assert references
    assert [reference for reference in references if not reference.startswith("#/")] == []


def test_the_bundle_survives_a_round_trip_through_json() -> None:
    bundle = contracts.bundle_specification()

    assert json.loads(json.dumps(bundle)) == bundle


def _response_examples():
    for operation in contracts.operations():
        for status, response in operation.described["responses"].items():
            described = _resolved(response)
            content = described.get("content", {}).get("application/json", {})
            schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            for name, example in content.get("examples", {}).items():
                label = f"{operation.operation_id} {status} {name}"
                yield pytest.param(schema, example["value"], id=label)


@pytest.mark.parametrize(("component", "value"), list(_response_examples()))
def test_every_response_example_keeps_its_schema(component: str, value: object) -> None:
    name = {contracts.component_name(name): name for name in contracts.schema_names()}[component]

    assert list(contracts.validate(value, name)) == []


def test_every_documented_answer_has_a_named_example() -> None:
    silent = []
    for operation in contracts.operations():
        for status, response in operation.described["responses"].items():
            described = _resolved(response)
            content = described.get("content", {}).get("application/json", {})
            if not content.get("examples"):
                silent.append((operation.operation_id, status))

    assert silent == []


def test_every_operation_says_what_it_does_and_who_may_call_it() -> None:
    for operation in contracts.operations():
        assert {"operationId", "summary", "description", "tags"} <= operation.described.keys()

    bundle = contracts.bundle_specification()
    assert bundle["components"]["securitySchemes"]["apiKey"]["name"] == "x-api-key"
    assert {"apiKey": []} in bundle["security"]


def test_the_examples_of_execution_detail_are_those_of_its_schema() -> None:
    (detail,) = (one for one in contracts.operations() if one.operation_id == "getExecution")

    examples = detail.described["responses"]["200"]["content"]["application/json"]["examples"]
    shown = [example["value"]["data"] for example in examples.values()]

    assert shown == contracts.load_schema("execution")["examples"]
