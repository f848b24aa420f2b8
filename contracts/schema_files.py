"""The JSON Schema files of the contract, by name."""

import json
from functools import cache
from importlib.resources import files

from .json_types import JsonObject
from .suggestions import nearest_names

_FOLDER = files(__package__) / "schemas"


class UnknownSchemaError(LookupError):
    """There is no schema of that name; the message lists the known ones."""


@cache
def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas, sorted; `execution` names `schemas/execution.json`."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@cache
def load_schema(name: str) -> JsonObject:
    """Return one schema as parsed JSON. Callers share it and must not change it.

    Raises:
        UnknownSchemaError: if there is no such schema.
    """
    if name not in schema_names():
        near = nearest_names(name, schema_names(), most=1, least_likeness=0.6)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(schema_names())
        raise UnknownSchemaError(f"There is no schema {name!r}.{hint} Known: {known}.")
    schema: JsonObject = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return schema
