"""Schemas as unions by status, in the form that code generators turn into types.

`x-variants` in a schema file names the member that distinguishes its variants, and for each of its
values what the other members are then. Validation ignores the keyword: its conditionals (`if`) and
the semantic rules require the same, with an explanation.
"""

import copy

from .json_types import JsonObject

KEYWORD = "x-variants"


def variants_of(schema: JsonObject) -> dict[str, JsonObject]:
    """Return each variant of a schema by the value of its discriminator; {} if it has none.

    A variant is a plain object schema: no conditionals, and the narrowed members in place.
    """
    described = schema.get(KEYWORD)
    if described is None:
        return {}
    by: str = described["discriminator"]
    return {value: _variant(schema, by, value) for value in schema["properties"][by]["enum"]}


def discriminator_of(schema: JsonObject) -> str:
    """Return the name of the member that distinguishes the variants of a schema."""
    name: str = schema[KEYWORD]["discriminator"]
    return name


def _variant(schema: JsonObject, by: str, value: str) -> JsonObject:
    narrowed = {by: {"type": "string", "const": value}, **schema[KEYWORD]["members"][value]}
    variant = {
        name: copy.deepcopy(part)
        for name, part in schema.items()
        if name not in {KEYWORD, "allOf", "examples", "$schema", "$id"}
    }
    for name, overlay in narrowed.items():
        variant["properties"][name] = _narrowed(variant["properties"][name], overlay)
    filled = [name for name, overlay in narrowed.items() if overlay["type"] != "null"]
    variant["required"] = list(dict.fromkeys([*variant["required"], *filled]))
    examples = [one for one in schema.get("examples", ()) if one[by] == value]
    return {**variant, "examples": examples} if examples else variant


def _narrowed(member: JsonObject, overlay: JsonObject) -> JsonObject:
    """Return a member with the overlay's type; keywords of other types are left out."""
    if overlay["type"] == "null":
        kinds = [member["type"][0], "null"]
        return {"type": kinds, "const": None, "description": member["description"]}
    rest = {name: value for name, value in member.items() if name not in {"enum", "examples"}}
    return {**rest, **overlay}
