"""The specification `openapi.yaml`, unchanged and as one self-contained document."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from .json_types import Json, JsonObject
from .parsed_yaml import parsed_yaml
from .schema_files import load_schema, schema_names
from .variants import discriminator_of, variants_of

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_CODE = re.compile(r"`([A-Z][A-Z_]*[A-Z])`")


class Operation(NamedTuple):
    """One method on one path of the specification.

    `path` is the template, such as `/v1/workflows/{id}`; `described` is the bundled operation
    object, its path-level parameters included.
    """

    operation_id: str
    method: str
    path: str
    described: JsonObject

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Return the names in the path template, in order."""
        return tuple(re.findall(r"\{([^}]+)\}", self.path))


def specification_text() -> str:
    """Return the text of `openapi.yaml`."""
    return (_inside() or files(__package__) / ".." / _NAME).read_text("utf-8")


_NAME = "openapi.yaml"


def _inside() -> Traversable | None:
    """Return the file inside the package of a wheel; a checkout has it beside the package."""
    inside = files(__package__) / _NAME
    return inside if inside.is_file() else None


@cache
def load_specification() -> JsonObject:
    """Return `openapi.yaml` as parsed YAML, with its references to schema files.

    Callers share it and must not change it.
    """
    return parsed_yaml(specification_text(), _NAME, is_cached=_inside() is None)


@cache
def bundle_specification() -> JsonObject:
    """Return the specification as one document whose every reference is local (`#/…`).

    Callers share it and must not change it.
    """
    bundle: JsonObject = _localised(load_specification())
    schemas: JsonObject = {}
    for name in schema_names():
        schemas |= _components(component_name(name), load_schema(name))
    bundle.setdefault("components", {})["schemas"] = schemas
    return bundle


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of the specification, in its order."""
    return tuple(_operations(bundle_specification()))


def _operations(specification: JsonObject) -> Iterator[Operation]:
    for path, item in specification["paths"].items():
        shared = item.get("parameters", [])
        for method in METHODS:
            if method in item:
                described = dict(item[method])
                described["parameters"] = [*shared, *described.get("parameters", [])]
                yield Operation(described["operationId"], method.upper(), path, described)


@cache
def documented_codes(operation_id: str) -> Mapping[int, tuple[str, ...]]:
    """Return the error codes that an operation documents, by status from 200 upwards.

    A response names its codes in its description, between backticks, or only in its examples. A
    status without codes has none.
    """
    (described,) = (one.described for one in operations() if one.operation_id == operation_id)
    return {
        int(status): tuple(dict.fromkeys(_codes_of(response)))
        for status, response in sorted(described["responses"].items())
    }


def _codes_of(response: JsonObject) -> Iterator[str]:
    if "$ref" in response:
        name = response["$ref"].rpartition("/")[2]
        response = bundle_specification()["components"]["responses"][name]
    yield from _CODE.findall(response["description"])
    for content in response["content"].values():
        for example in content.get("examples", {}).values():
            error = example["value"].get("error")
            if isinstance(error, dict):
                yield error["code"]


def component_name(schema_name: str) -> str:
    """Return the component and type of a schema file: `execution_row` is ExecutionRow.

    Only `error` has another name, ApiError: many languages have an Error of their own.
    """
    name = "".join(word.capitalize() for word in schema_name.split("_"))
    return "ApiError" if name == "Error" else name


def _components(name: str, schema: JsonObject) -> JsonObject:
    """Return the component of a schema; of one with variants, their union and each of them."""
    variants = variants_of(schema)
    if not variants:
        return {name: _localised(_plain(schema))}
    names = {value: f"{value.capitalize()}{name}" for value in variants}
    references = {value: f"#/components/schemas/{one}" for value, one in names.items()}
    union = {key: schema[key] for key in ("title", "description", "examples")}
    union["oneOf"] = [{"$ref": reference} for reference in references.values()]
    union["discriminator"] = {"propertyName": discriminator_of(schema), "mapping": references}
    titled = {
        names[value]: {**_localised(variant), "title": f"{value.capitalize()} {_lower(schema)}"}
        for value, variant in variants.items()
    }
    return {name: union, **titled}


def _lower(schema: JsonObject) -> str:
    title: str = schema["title"]
    return title[0].lower() + title[1:]


def _plain(schema: JsonObject) -> JsonObject:
    return {key: value for key, value in schema.items() if key not in {"$schema", "$id"}}


def _localised(node: Json) -> Json:
    """Return a copy of a node with references to components in place of schema files.

    Its schemas are in the form of `_for_generators`; examples and other data stay as they are.
    """
    if isinstance(node, list):
        return [_localised(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: value if key in _DATA else _localised(value) for key, value in node.items()}
    if isinstance(members := node.get("properties"), dict):
        copied["properties"] = {name: _localised(member) for name, member in members.items()}
    target = node.get("$ref")
    if isinstance(target, str) and target.endswith(".json"):
        copied["$ref"] = f"#/components/schemas/{component_name(PurePosixPath(target).stem)}"
    return _for_generators(copied)


_DATA = {"const", "default", "enum", "example", "examples", "value"}
"""Keywords whose value is no schema."""


def _for_generators(schema: JsonObject) -> JsonObject:
    """Return a schema of the same meaning that generators of code understand.

    A type among several that is `object` or `array` becomes a branch of `anyOf`, since OpenAPI
    Generator reads no such list. An object without described members allows any, since
    openapi-typescript takes it for an empty one otherwise.
    """
    kinds = schema.get("type")
    if isinstance(kinds, list) and len({*kinds} - {"null"}) > 1 and {"array", "object"} & {*kinds}:
        rest = {key: value for key, value in schema.items() if key not in {"type", "items"}}
        items = {"array": {"items": schema.get("items", {})}}
        branches = [_for_generators({"type": kind, **items.get(kind, {})}) for kind in kinds]
        return {**rest, "anyOf": branches}
    is_object = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
    is_open = is_object and not {"properties", "const", "additionalProperties"} & {*schema}
    return {**schema, "additionalProperties": True} if is_open else schema


def operation_at(method: str, path: str) -> tuple[Operation, str, dict[str, str]] | None:
    """Return the operation whose path template matches the end of a path, or None.

    Also return the matched part of the path (a base URL may add a prefix) and the path parameters,
    percent-decoded. Literal paths come first: `/v1/workflows/actions` is not a workflow.
    """
    for operation, pattern in _patterns():
        match = pattern.search(path) if operation.method == method else None
        if match:
            parameters = {name: unquote(value) for name, value in match.groupdict().items()}
            return operation, match[0], parameters
    return None


@cache
def _patterns() -> tuple[tuple[Operation, re.Pattern[str]], ...]:
    ordered = sorted(operations(), key=lambda one: one.path.count("{"))
    return tuple(
        (one, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(one.path)) + "$"))
        for one in ordered
    )
