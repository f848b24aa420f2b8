"""Validate query parameters and JSON bodies by the specification."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Request

from deadringer.contracts import Json, JsonObject, Operation, load_schema, read_json, validate
from deadringer.mockserver.control_spec import schema_validator
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.schema_errors import make_integers

if TYPE_CHECKING:
    import jsonschema_rs

_INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)  # int() refuses longer ones
BODY_SCHEMA = "test_request"


def read_query(operation: Operation, sent: Mapping[str, str]) -> dict[str, Any]:
    """Return every query parameter of an operation, in its documented type, with defaults.

    Unknown parameters are ignored.

    Raises:
        ApiError: VALIDATION_ERROR with one line per invalid parameter.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for parameter in operation.described["parameters"]:
        if parameter.get("in") != "query":
            continue
        name, schema = parameter["name"], parameter["schema"]
        if name not in sent:
            values[name] = schema.get("default")
            continue
        values[name] = _typed(sent[name], schema)
        problems += [f"query/{name}: {message}" for message in _violations(values[name], schema)]
    refuse(problems)
    return values


def read_body(request: Request) -> JsonObject:
    """Return the JSON body of Test Workflow; an absent one is `{}`.

    Raises:
        ApiError: BAD_REQUEST if it is not JSON, VALIDATION_ERROR with one line per violation.
    """
    raw = request.get_data(cache=False)
    if not raw.strip():
        return {}
    try:
        body: Json = read_json(raw)
    except (ValueError, RecursionError) as problem:
        raise ApiError(
            "BAD_REQUEST", f"The body is not JSON: {problem}", "Send a JSON object, or no body"
        ) from problem
    if _has_whole_float(body):
        make_integers(body, schema_validator(load_schema(BODY_SCHEMA)))
    refuse(f"body{one.pointer}: {one.message}" for one in validate(body, BODY_SCHEMA))
    checked: JsonObject = body
    return checked


def _has_whole_float(value: Json) -> bool:
    left = [value]  # not recursive: a body may be nested deeper than the stack
    while left:
        one = left.pop()
        if isinstance(one, float) and one.is_integer():
            return True
        left += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return False


def refuse(problems: Iterable[str]) -> None:
    """Raise VALIDATION_ERROR with every problem, if there are any."""
    listed = list(problems)
    if listed:
        raise ApiError(
            "VALIDATION_ERROR",
            f"Request has {len(listed)} validation error(s)",
            details={"errors": listed},
        )


def _violations(value: Any, schema: JsonObject) -> list[str]:
    if _fast_validator(json.dumps(schema)).is_valid(value):
        return []
    from jsonschema import Draft202012Validator  # explains errors, but takes long to load

    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@cache
def _fast_validator(schema_text: str) -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs  # not needed at start

    return jsonschema_rs.Draft202012Validator(json.loads(schema_text))


def _typed(text: str, schema: JsonObject) -> Any:
    if schema.get("type") == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    return text
