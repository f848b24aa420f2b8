"""The steps of an execution, as rules look at them: with their place, and what is readable."""

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
    """One object of `steps`; `index` is its place there."""

    index: int
    described: JsonObject

    @property
    def status(self) -> str | None:
        """The status, None if it is no text."""
        return text(self.described.get("status"))

    @property
    def step_id(self) -> str | None:
        """The step's id, None if it is no text."""
        return text(self.described.get("step_id"))

    @property
    def started(self) -> datetime | None:
        """When it started, None if that cannot be read."""
        return moment(self.described.get("started_at"))

    @property
    def ended(self) -> datetime | None:
        """When it ended, None if it has not or that cannot be read."""
        return moment(self.described.get("ended_at"))

    @property
    def is_iteration(self) -> bool:
        """Return whether it says of itself that it ran inside a loop."""
        return number(self.described.get("iteration")) is not None

    @property
    def has_started(self) -> bool:
        """Return whether `started_at` is a start; for other steps it is when they were queued."""
        return self.status in STARTED

    def at(self, *parts: str | int) -> str:
        """Return the pointer of a member, from the execution."""
        return pointer_to("steps", self.index, *parts)

    def get(self, name: str) -> Json:
        """Return a member, None if it is absent."""
        return self.described.get(name)


def steps_of(execution: Json) -> list[Step]:
    """Return the steps that are objects, in order."""
    steps = elements(members(execution).get("steps"))
    return [Step(index, step) for index, step in enumerate(steps) if isinstance(step, dict)]


def timed_parts(execution: Json) -> Iterator[tuple[str, JsonObject]]:
    """Yield (pointer, object) of the run and each step: everything with a start and an end."""
    yield "", members(execution)
    for step in steps_of(execution):
        yield step.at(), step.described
