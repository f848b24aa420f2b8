"""Validate an instance against a named schema. Violations have place, expected, got and fix.

Importing jsonschema takes a quarter of a second, and it is only needed to explain a violation, so
it is imported on demand: every pytest run with this package installed imports this module.
"""

import copy
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .json_types import Json, JsonObject
from .schema_errors import SchemaError, explain
from .schema_files import load_schema, schema_names
from .timestamps import parse_timestamp
from .violations import Severity, Violation, pointer_to

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry

RULE_NAME = "schema"


def validate(instance: Json, schema_name: str, *, strict: bool = False) -> Iterator[Violation]:
    """Yield one violation for each place where the instance violates the schema.

    `strict` also reports undocumented members, which are otherwise tolerated.
    Of alternatives, the one that fits best is reported.

    Raises:
        UnknownSchemaError: if there is no such schema; the message lists the names.
    """
    if not strict and is_valid(instance, schema_name):
        return
    for error in explain(_validator(schema_name, strict).iter_errors(instance)):
        yield _violation(error, schema_name)


def is_valid(instance: Json, schema_name: str) -> bool:
    """Return whether the instance matches the schema."""
    try:
        return bool(_fast_validator(schema_name).is_valid(instance))
    except (ValueError, TypeError, OverflowError, RecursionError):
        # Not a JSON value, or nested too deeply: use the slower validator.
        return _validator(schema_name, False).is_valid(instance)


def _violation(error: SchemaError, schema_name: str) -> Violation:
    return Violation(
        rule=RULE_NAME,
        pointer=pointer_to(*error.path),
        expected=error.expected,
        got=error.got,
        fix=error.fix,
        severity=Severity.ERROR,
        source=f"contracts/schemas/{schema_name}.json#{pointer_to(*error.schema_path)}",
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
    """Return a validator of the same schemas that returns only a bool, some sixty times faster."""
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
    """Return the format checker with the contract's definition of `date-time`."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    checker.checks("date-time")(_is_timestamp)
    return checker


def _is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or parse_timestamp(value) is not None


def _closed(schema: JsonObject) -> JsonObject:
    """Return a copy in which every object with named members forbids other members."""
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
