"""What a JSON Schema has against a value people wrote: place, problem and fix, all at once.

It speaks to those who wrote the value, by its path; `contracts.validate` reports what a server
sent, as violations. Both read jsonschema's errors by the same functions of the contract.
jsonschema takes a fifth of a start, so it is loaded when the first value is judged.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from deadringer.contracts import Json, JsonObject, branches_of, show, type_names, unknown_members

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One breach; `path` leads to the member it is about."""

    path: Path
    problem: str
    fix: str

    @property
    def line(self) -> str:
        """The problem as one line of `details.errors`."""
        place = ".".join(str(part) for part in self.path) or "body"
        return f"{place}: {self.problem}; {self.fix}"


def make_integers(instance: Json, validator: "Draft202012Validator") -> None:
    """Replace whole floats by integers in the instance, where its schema wants an integer.

    1.0 is an integer in JSON Schema, but a float in Python. The validator must refuse floats as
    integers, as those of `control_spec` do. What the schema does not describe stays as it is.
    """
    for error in [*_innermost(validator.iter_errors(instance))]:
        value: Any = error.instance
        wanted: Any = error.validator_value
        is_integer = "integer" in ([wanted] if isinstance(wanted, str) else wanted)
        if is_integer and isinstance(value, float) and value.is_integer() and error.absolute_path:
            *path, last = error.absolute_path
            place: Any = instance
            for part in path:
                place = place[part]
            place[last] = int(value)


def _innermost(errors: "Iterable[ValidationError]") -> "Iterator[ValidationError]":
    """Yield the errors of type, those of all alternatives included."""
    for error in errors:
        if error.validator == "type":
            yield error
        yield from _innermost(error.context or ())


def problems_of(instance: Json, validator: "Draft202012Validator") -> list[Problem]:
    """Return every problem, ordered by place; of alternatives, those of the one meant."""
    message = [one for error in validator.iter_errors(instance) for one in _told(error)]
    return sorted(dict.fromkeys(message), key=lambda one: [str(part) for part in one.path])


def good_members(instance: Json, problems: Iterable[Problem]) -> JsonObject:
    """Return the valid members of an object; none if the object as a whole is wrong."""
    bad = {one.path[0] if one.path else None for one in problems}
    if not isinstance(instance, dict) or None in bad:
        return {}
    return {name: value for name, value in instance.items() if name not in bad}


def _told(error: "ValidationError") -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    if error.validator == "oneOf":
        yield from _of_alternatives(error)
    elif error.validator == "additionalProperties":
        yield from _unknown(error)
    elif error.validator == "required":
        for name in wanted:
            if isinstance(error.instance, dict) and name not in error.instance:
                yield Problem((*path, name), "is missing", f"add {name!r}")
    else:
        yield Problem(path, *_said(str(error.validator), show(error.instance), error))


def _said(keyword: str, shown: str, error: "ValidationError") -> tuple[str, str]:
    """Return problem and fix of a value that breaks a keyword by itself."""
    wanted: Any = error.validator_value
    schema: Any = error.schema
    if keyword == "type":
        kinds = type_names(error)
        return f"{shown} is not of type {kinds}", f"write a value of type {kinds}"
    if keyword in {"enum", "const"}:
        allowed = ", ".join(str(one) for one in (wanted if keyword == "enum" else [wanted]))
        return f"{shown} is unknown", f"use one of: {allowed}"
    if keyword == "minProperties":
        return "says nothing", f"name at least one of: {', '.join(_members(schema))}"
    if keyword == "format":
        return f"{shown} is not a time with a zone", "write it like 2026-03-27T10:15:00Z"
    if keyword in _BOUNDS:
        return f"{shown} {_BOUNDS[keyword]} {wanted}", _range(schema)
    return f"{shown} breaks {keyword} {show(wanted)}", "follow the schema"


_BOUNDS = {
    "minimum": "is below",
    "maximum": "is above",
    "exclusiveMinimum": "is not above",
    "exclusiveMaximum": "is not below",
}


def _range(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum", "any"))
    high = schema.get("maximum", schema.get("exclusiveMaximum", "any"))
    return f"use a number from {low} to {high}"


def _members(schema: dict[str, Any]) -> list[str]:
    return sorted(schema.get("properties", {}))


def _unknown(error: "ValidationError") -> Iterator[Problem]:
    schema: Any = error.schema
    known = ", ".join(_members(schema))
    for name in unknown_members(error):
        yield Problem((*error.absolute_path, name), "is unknown", f"known here: {known}")


def _of_alternatives(error: "ValidationError") -> Iterator[Problem]:
    """Follow the alternative whose `const` member fits; where none does, name their values."""
    branches = branches_of(error)
    meant = [errors for errors in branches if not any(one.validator == "const" for one in errors)]
    if len(meant) == 1 or (meant and not isinstance(error.instance, dict)):
        for child in meant[0]:
            yield from _told(child)
        return
    if isinstance(error.instance, dict):
        unsaid = list(_unsaid(error.instance, branches))
        if unsaid:
            yield Problem(
                (*error.absolute_path, unsaid[0][0]),
                "is missing",
                f"use one of: {', '.join(dict.fromkeys(value for _, value in unsaid))}",
            )
            return
    values = [one for errors in branches for one in errors if one.validator == "const"]
    if values and not meant:
        allowed = ", ".join(str(one.validator_value) for one in values)
        shown = show(values[0].instance)
        yield Problem(
            tuple(values[0].absolute_path), f"{shown} is unknown", f"use one of: {allowed}"
        )
        return
    for errors in meant:
        yield from _told(errors[0])


def _unsaid(
    instance: dict[str, Any], branches: list[list["ValidationError"]]
) -> Iterator[tuple[str, str]]:
    """Yield the missing member that tells the alternatives apart, with its value in each."""
    for errors in branches:
        for one in errors:
            schema: Any = one.schema
            required: Any = one.validator_value
            if one.validator == "required":
                for name in required:
                    described = schema.get("properties", {}).get(name, {})
                    if name not in instance and "const" in described:
                        yield name, str(described["const"])
