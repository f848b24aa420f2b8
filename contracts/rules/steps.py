"""The steps of an execution, with their index and their valid members."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import pointer_to

from .json_values import elements, members, moment, number, text

ENDED = frozenset({"completed", "failed"})
STARTED = ENDED | {"running"}


@dataclass(frozen=True, slots=True)
class Step:
    """One object of `steps`; `index` is its index there."""

    index: int
    document: JsonObject

    @property
    def status(self) -> str | None:
        """Return the status, or None if it is not a text."""
        return text(self.document.get("status"))

    @property
    def step_id(self) -> str | None:
        """Return the step's id, or None if it is not a text."""
        return text(self.document.get("step_id"))

    @property
    def started(self) -> datetime | None:
        """Return when the step started, or None if that is absent or invalid."""
        return moment(self.document.get("started_at"))

    @property
    def ended(self) -> datetime | None:
        """Return when the step ended, or None if that is absent or invalid."""
        return moment(self.document.get("ended_at"))

    @property
    def is_iteration(self) -> bool:
        """Return whether the step has an `iteration`, which means that it ran inside a loop."""
        return number(self.document.get("iteration")) is not None

    @property
    def has_started(self) -> bool:
        """Return whether `started_at` is a start; for other steps it is when they were queued."""
        return self.status in STARTED

    def at(self, *parts: str | int) -> str:
        """Return the JSON Pointer of a member, from the execution."""
        return pointer_to("steps", self.index, *parts)

    def get(self, name: str) -> Json:
        """Return a member, None if it is absent."""
        return self.document.get(name)


def steps_of(execution: Json) -> list[Step]:
    """Return the steps that are objects, in order."""
    steps = elements(members(execution).get("steps"))
    return [Step(index, step) for index, step in enumerate(steps) if isinstance(step, dict)]


def timed_parts(execution: Json) -> Iterator[tuple[str, JsonObject]]:
    """Yield (pointer, object) of the run and each step: everything with a start and an end."""
    yield "", members(execution)
    for step in steps_of(execution):
        yield step.at(), step.document
