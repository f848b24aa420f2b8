"""The control API's own OpenAPI document, from which routes and validators are made."""

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from deadringer.contracts import JsonObject, Operation, timestamp_formats

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from referencing import Registry

_FILE = files(__package__) / "admin" / "control" / "openapi.yaml"
_METHODS = ("get", "put", "post", "delete", "patch")
_NAME = "control.json"


@cache
def control_specification() -> JsonObject:
    """Return the document, aliases resolved. Callers share it and must not change it."""
    import yaml  # not needed at start

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded = yaml.load(_FILE.read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe one
    document: JsonObject = json.loads(json.dumps(loaded))  # expands aliases
    return document


@cache
def control_operations() -> tuple[Operation, ...]:
    """Return every operation, in the order of the document."""
    return tuple(
        Operation(item[method]["operationId"], method.upper(), path, _with_shared(item, method))
        for path, item in control_specification()["paths"].items()
        for method in _METHODS
        if method in item
    )


def body_validator(operation: Operation) -> "Draft202012Validator | None":
    """Return the validator of the operation's JSON body, None if it takes none."""
    content = operation.described.get("requestBody", {}).get("content", {})
    return schema_validator(content["application/json"]["schema"]) if content else None


def response_validator(operation: Operation, status: int) -> "Draft202012Validator | None":
    """Return the validator of a response, None if the document does not know the status."""
    responses = operation.described["responses"]
    described = _followed(responses.get(str(status)) or responses["default"])
    if str(status) not in responses and status < 400:
        return None
    content = described.get("content", {})
    return schema_validator(next(iter(content.values()))["schema"] if content else {})


def component_validator(name: str) -> "Draft202012Validator":
    """Return the validator of a named schema of the document."""
    return schema_validator({"$ref": f"#/components/schemas/{name}"})


def schema_validator(schema: JsonObject) -> "Draft202012Validator":
    """Return the validator of a schema whose references point into the document."""
    return _validator(json.dumps(schema).replace('"#/', f'"{_NAME}#/'))


@cache
def _validator(schema_text: str) -> "Draft202012Validator":
    schema = json.loads(schema_text)
    return _strict_class()(schema, registry=_registry(), format_checker=timestamp_formats())


@cache
def _strict_class() -> "type[Draft202012Validator]":
    """Return a Draft 2020-12 validator class for which 1.0 is not an integer."""
    from jsonschema import Draft202012Validator, validators  # not needed at start

    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extend: Any = validators.extend  # has no types
    strict: type[Draft202012Validator] = extend(Draft202012Validator, type_checker=types)
    return strict


@cache
def _registry() -> "Registry[Any]":
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    resource = DRAFT202012.create_resource(control_specification())
    registry: Registry[Any] = Registry().with_resource(_NAME, resource)
    return registry


def _with_shared(item: JsonObject, method: str) -> JsonObject:
    shared = [*item.get("parameters", []), *item[method].get("parameters", [])]
    return {**item[method], "parameters": [_followed(one) for one in shared]}


def _followed(node: JsonObject) -> JsonObject:
    """Return the component that a reference points to, or the node itself if it is none."""
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: JsonObject = control_specification()["components"][kind][name]
    return found
