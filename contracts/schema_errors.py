"""What a JSON Schema error means, for people: place, expected, got and fix.

The rules of the contract and the mock's control API, settings and scenario files report through it,
so one mistake reads the same at every door. It reads the errors of jsonschema and does not load it.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .suggestions import nearest_names
from .violations import show

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_BOUNDS = {
    "minimum": "a number not below",
    "maximum": "a number not above",
    "exclusiveMinimum": "a number above",
    "exclusiveMaximum": "a number below",
}


_LIKE = 0.7
"""Likeness from which a name passes for a misspelled one, from 0 to 1."""


class SchemaError(NamedTuple):
    """One place where a value differs from its schema; paths begin at the root of each.

    `missing` is the name of the member that is missing at the path, "" if none is.
    """

    path: tuple[str | int, ...]
    expected: str
    got: str
    fix: str
    schema_path: tuple[str | int, ...]
    missing: str = ""

    @property
    def message(self) -> str:
        """Expected and got, in one sentence."""
        return f"expected {self.expected}, got {self.got}"


def explain(errors: "Iterable[ValidationError]") -> Iterator[SchemaError]:
    """Yield what errors of jsonschema mean.

    Alternatives (`anyOf`, `oneOf`) with different `const` members are reported by that member; of
    others, the deepest error of the branch that fits best is reported. A value of another type than
    the allowed ones is reported once, by those.
    """
    listed = list(errors)
    allowed = {_place_of(one) for one in listed if one.validator in {"enum", "const"}}
    for error in listed:
        if error.validator != "type" or _place_of(error) not in allowed:
            yield from _explained(error)


def _place_of(error: "ValidationError") -> tuple[Any, ...]:
    return (*error.absolute_path, "of", *list(error.absolute_schema_path)[:-1])


def _explained(error: "ValidationError") -> Iterator[SchemaError]:
    branches = _branches_of(error)
    possible = [errors for errors in branches if not _is_ruled_out(errors)]
    missing = _missing_constants(error.instance, possible)
    if missing or len(possible) < len(branches):
        yield from _explain_alternatives(error, branches, possible, missing)
        return
    relevant = _deepest_error(error)
    if relevant.validator == "required":
        yield from _missing_members(relevant)
        return
    for member, expected, got, fix in _sides(relevant):
        path = (*relevant.absolute_path, *member)
        yield SchemaError(path, expected, got, fix, tuple(relevant.absolute_schema_path))


def _branches_of(error: "ValidationError") -> "list[list[ValidationError]]":
    """Return the errors of each alternative that did not match."""
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context or ():
        branches.setdefault(child.schema_path[0], []).append(child)
    return list(branches.values())


def _is_ruled_out(errors: "Iterable[ValidationError]") -> bool:
    return any(one.validator == "const" for one in errors)


def _deepest_error(error: "ValidationError") -> "ValidationError":
    """Follow alternatives into the branch that fits best, down to the error that matters.

    The best branch is the one whose first error lies deepest, then the one with fewest errors.
    """
    while error.context:
        best = max(_branches_of(error), key=_closeness)
        error = max(best, key=_depth)
    return error


def _closeness(errors: "Iterable[ValidationError]") -> tuple[int, int]:
    listed = list(errors)
    return (min(_depth(error) for error in listed), -len(listed))


def _depth(error: "ValidationError") -> int:
    return len(error.absolute_path)


def _explain_alternatives(
    error: "ValidationError",
    branches: "list[list[ValidationError]]",
    possible: "list[list[ValidationError]]",
    missing: list[tuple[str, Any]],
) -> Iterator[SchemaError]:
    """Follow the alternative whose `const` member fits; where none does, name their values."""
    if missing:
        name = missing[0][0]
        values = [value for member, value in missing if member == name]
        yield _of_constants(error, (*error.absolute_path, name), values, "nothing there")
    elif possible:
        for child in min(possible, key=len):
            yield from _explained(child)
    else:
        constants = [one for errors in branches for one in errors if one.validator == "const"]
        values = [one.validator_value for one in constants]
        path = tuple(constants[0].absolute_path)
        yield _of_constants(error, path, values, show(constants[0].instance))


def _of_constants(
    error: "ValidationError", path: tuple[str | int, ...], values: list[Any], got: str
) -> SchemaError:
    expected = f"one of {', '.join(dict.fromkeys(show(value) for value in values))}"
    return SchemaError(path, expected, got, "use one of these", tuple(error.absolute_schema_path))


def _missing_constants(
    instance: Any, branches: "list[list[ValidationError]]"
) -> list[tuple[str, Any]]:
    """Return the absent members that distinguish alternatives, with their value in each."""
    found = []
    for one in (one for errors in branches for one in errors if one.validator == "required"):
        schema: Any = one.schema
        required: Any = one.validator_value
        for name in required:
            described = schema.get("properties", {}).get(name, {})
            if name not in instance and "const" in described:
                found.append((name, described["const"]))
    return found


def _sides(error: "ValidationError") -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    """Yield (path below the error's place, expected, got, fix)."""
    keyword, got = str(error.validator), show(error.instance)
    wanted: Any = error.validator_value
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        yield from _unknown_members(error)
    elif keyword == "type":
        types = " or ".join([wanted] if isinstance(wanted, str) else wanted)
        yield (), f"type {types}", got, f"use a value of type {types}"
    elif keyword == "enum":
        allowed = ", ".join(show(value) for value in wanted)
        yield (), f"one of {allowed}", got, "use one of these"
    elif keyword == "const":
        yield (), show(wanted), got, f"use {show(wanted)}"
    elif keyword == "format":
        yield (), "an ISO 8601 timestamp with a zone", got, "write it as 2026-03-27T10:15:00.000Z"
    elif keyword == "minLength":
        yield (), f"a text of at least {wanted} characters", got, "do not send an empty text"
    elif keyword == "minProperties":
        names = ", ".join(_documented_members(error))
        least = "one member" if wanted == 1 else f"{wanted} members"
        yield (), f"at least {least}", got, f"add one of: {names}"
    elif keyword in _BOUNDS:
        yield (), f"{_BOUNDS[keyword]} {wanted}", got, _range(error.schema)
    else:
        yield (), f"{keyword} {show(wanted)}", got, "follow the schema"


def _range(schema: Any) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if high is None:
        return f"use {low} or more"
    return f"use {high} or less" if low is None else f"use a number from {low} to {high}"


def _documented_members(error: "ValidationError") -> list[str]:
    schema: Any = error.schema
    return sorted(schema.get("properties", {}))


def _missing_members(error: "ValidationError") -> Iterator[SchemaError]:
    path, schema_path = tuple(error.absolute_path), tuple(error.absolute_schema_path)
    # jsonschema reports one error for each missing member, and names it first in the message.
    required: Any = error.validator_value
    for name in (name for name in required if error.message.startswith(repr(name))):
        expected, fix = f"member {show(name)}", f"add {show(name)}"
        yield SchemaError(path, expected, "nothing there", fix, schema_path, name)


def _unknown_members(error: "ValidationError") -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    instance: Any = error.instance
    documented = _documented_members(error)
    for name in (name for name in instance if name not in documented):
        fix = f"{_correction(name, documented)}; documented members: {', '.join(documented)}"
        yield (name,), "documented members only", show(instance[name]), fix


def _correction(name: str, documented: list[str]) -> str:
    nearest = nearest_names(name, documented, most=1, least_likeness=_LIKE)
    return f"did you mean {nearest[0]}" if nearest else "remove it"
