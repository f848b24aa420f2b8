"""The schema problems of a value that a user wrote: place, problem and fix of each.

The contract's `explain` words them. Loading jsonschema takes a fifth of a start, so it is loaded
when the first value is validated.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from deadringer.contracts import Json, JsonObject, explain

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One problem of a value; `path` leads to the member concerned."""

    path: Path
    problem: str
    fix: str

    @property
    def line(self) -> str:
        """The problem as one line of `details.errors`."""
        place = ".".join(str(part) for part in self.path) or "body"
        return f"{place}: {self.problem}; {self.fix}"


def make_integers(instance: Json, validator: "Draft202012Validator") -> None:
    """Replace whole floats in the instance by integers, where its schema expects an integer.

    1.0 is an integer in JSON Schema, but a float in Python. The validator must not accept floats
    as integers, as those of `control_spec`. Members the schema does not describe are not changed.
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
    """Return every problem, ordered by place; of alternatives, those of the intended one."""
    problems = [
        Problem((*one.path, one.missing) if one.missing else one.path, one.message, one.fix)
        for one in explain(validator.iter_errors(instance))
    ]
    return sorted(dict.fromkeys(problems), key=lambda one: [str(part) for part in one.path])


def good_members(instance: Json, problems: Iterable[Problem]) -> JsonObject:
    """Return the valid members of an object; none if the object as a whole is wrong."""
    bad = {one.path[0] if one.path else None for one in problems}
    if not isinstance(instance, dict) or None in bad:
        return {}
    return {name: value for name, value in instance.items() if name not in bad}
