"""Validate an instance against a named schema; every violation has place, expected, got and fix.

jsonschema costs a quarter of a second and only says why not, so it is imported when that is asked;
every pytest run of an environment that holds this package imports this module.
"""

import copy
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .json_types import Json, JsonObject
from .schema_files import load_schema, schema_names
from .timestamps import parse_timestamp
from .violations import Severity, Violation, pointer_to, show

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import ValidationError
    from referencing import Registry

RULE_NAME = "schema"


def validate(instance: Json, schema_name: str, *, strict: bool = False) -> Iterator[Violation]:
    """Yield one violation for each place where the instance leaves the schema.

    `strict` also reports members the schema does not know, which are tolerated otherwise.
    Under `anyOf` the deepest error of the branch that fits best is told, not all of them.

    Raises:
        UnknownSchemaError: if there is no such schema; the message lists the names.
    """
    if not strict and is_valid(instance, schema_name):
        return
    for error in _validator(schema_name, strict).iter_errors(instance):
        yield from _violations(error, schema_name)


def is_valid(instance: Json, schema_name: str) -> bool:
    """Return whether the instance keeps the schema, without saying why not."""
    try:
        return bool(_fast_validator(schema_name).is_valid(instance))
    except (ValueError, TypeError, OverflowError, RecursionError):
        # A value JSON does not have, or too deep for it: the slower one decides.
        return _validator(schema_name, False).is_valid(instance)


def deepest_error(error: "ValidationError") -> "ValidationError":
    """Follow `anyOf` and `oneOf` into the branch that fits best, down to the error that matters.

    The best branch is the one whose first error lies deepest, then the one with fewest errors.
    """
    while error.context:
        best = max(branches_of(error), key=_closeness)
        error = max(best, key=_depth)
    return error


def branches_of(error: "ValidationError") -> list[list["ValidationError"]]:
    """Return the errors of each branch of an `anyOf` or `oneOf` that did not fit."""
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context or ():
        branches.setdefault(child.schema_path[0], []).append(child)
    return list(branches.values())


def unknown_members(error: "ValidationError") -> list[str]:
    """Return the members of the instance that its schema does not describe, in their order."""
    schema: Any = error.schema
    instance: Any = error.instance
    return [name for name in instance if name not in schema.get("properties", {})]


def type_names(error: "ValidationError") -> str:
    """Return what a failed `type` wants: `integer or null`."""
    wanted: Any = error.validator_value
    return " or ".join([wanted] if isinstance(wanted, str) else wanted)


def _closeness(errors: "Iterable[ValidationError]") -> tuple[int, int]:
    listed = list(errors)
    return (min(_depth(error) for error in listed), -len(listed))


def _depth(error: "ValidationError") -> int:
    return len(error.absolute_path)


def _violations(error: "ValidationError", schema_name: str) -> Iterator[Violation]:
    relevant = deepest_error(error)
    place = pointer_to(*relevant.absolute_path)
    place_in_schema = pointer_to(*relevant.absolute_schema_path)
    source = f"contracts/schemas/{schema_name}.json#{place_in_schema}"
    for member, expected, got, fix in _sides(relevant):
        yield Violation(
            rule=RULE_NAME,
            pointer=place + member,
            expected=expected,
            got=got,
            fix=fix,
            severity=Severity.ERROR,
            source=source,
        )


def _sides(error: "ValidationError") -> Iterator[tuple[str, str, str, str]]:
    """Yield (pointer below the error's place, expected, got, fix) in words a person would use."""
    keyword, got = str(error.validator), show(error.instance)
    wanted: Any = error.validator_value
    if keyword == "required":
        yield from _missing_members(error)
    elif keyword in {"additionalProperties", "unevaluatedProperties"}:
        yield from _unknown_members(error)
    elif keyword == "type":
        types = type_names(error)
        yield "", f"type {types}", got, f"send a value of type {types}"
    elif keyword == "enum":
        allowed = ", ".join(show(value) for value in wanted)
        yield "", f"one of {allowed}", got, f"use one of {allowed}"
    elif keyword == "const":
        yield "", show(wanted), got, f"send {show(wanted)}"
    elif keyword == "format":
        yield "", "an ISO 8601 timestamp with a zone", got, "write it as 2026-03-27T10:15:00.000Z"
    elif keyword == "minLength":
        yield "", f"a text of at least {wanted} characters", got, "do not send an empty text"
    elif keyword == "minimum":
        yield "", f"a number not below {wanted}", got, f"send {wanted} or more"
    else:
        yield "", f"{keyword} {show(wanted)}", got, "follow the schema"


def _missing_members(error: "ValidationError") -> Iterator[tuple[str, str, str, str]]:
    # jsonschema reports one error for each missing member, and names it first in the message.
    required: Any = error.validator_value
    for name in (name for name in required if error.message.startswith(repr(name))):
        yield "", f"member {show(name)}", "nothing there", f"send {show(name)} in every answer"


def _unknown_members(error: "ValidationError") -> Iterator[tuple[str, str, str, str]]:
    instance: Any = error.instance
    for name in unknown_members(error):
        yield (
            pointer_to(name),
            "no member the contract does not know",
            show(instance[name]),
            f"remove {show(name)}, or judge without strict",
        )


@cache
def _validator(schema_name: str, strict: bool) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    schema = _registry(strict).contents(f"{load_schema(schema_name)['$id']}")
    return Draft202012Validator(
        schema, registry=_registry(strict), format_checker=timestamp_formats()
    )


@cache
def _fast_validator(schema_name: str) -> Any:
    """Return a validator that only says yes or no, some sixty times faster, by the same schemas."""
    import jsonschema_rs

    schemas = {f"json-schema:///{name}.json": load_schema(name) for name in schema_names()}
    registry = jsonschema_rs.Registry(list(schemas.items()))
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"json-schema:///{schema_name}.json"},
        registry=registry,
        formats={"date-time": lambda text: parse_timestamp(text) is not None},
        validate_formats=True,
    )


@cache
def _registry(strict: bool) -> "Registry[Any]":
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    schemas = {name: load_schema(name) for name in schema_names()}
    if strict:
        schemas = {name: _closed(schema) for name, schema in schemas.items()}
    return Registry[Any]().with_resources(
        (schema["$id"], DRAFT202012.create_resource(schema)) for schema in schemas.values()
    )


@cache
def timestamp_formats() -> "FormatChecker":
    """Return the format checker that knows `date-time` as the contract does."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    checker.checks("date-time")(_is_timestamp)
    return checker


def _is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or parse_timestamp(value) is not None


def _closed(schema: JsonObject) -> JsonObject:
    """Return a copy in which every object with named members refuses others."""
    closed = copy.deepcopy(schema)
    _close(closed)
    return closed


def _close(schema: Json) -> None:
    if isinstance(schema, dict):
        described = "object" in schema.get("type", ()) and "properties" in schema
        if described and "additionalProperties" not in schema:
            schema["unevaluatedProperties"] = False
        for keyword in schema.keys() - {"examples", "const", "enum"}:
            _close(schema[keyword])
    elif isinstance(schema, list):
        for item in schema:
            _close(item)
