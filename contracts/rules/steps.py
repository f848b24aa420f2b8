"""The parts of an execution that rules read: the run and its steps, with their valid members.

A rule is a function of plain JSON. While many rules validate one execution, what they derive from
it is computed once: see `derived`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import parse_timestamp
from deadringer.contracts.violations import pointer_to

from .json_values import elements, members, number, text

ENDED = frozenset({"completed", "failed"})
STARTED = ENDED | {"running"}

Found = TypeVar("Found")


class Execution(JsonObject):
    """An execution that keeps what rules derive from it, for as long as it is validated.

    It equals the JSON object it was made from. Nothing may change it.
    """

    __slots__ = ("known",)

    def __init__(self, document: JsonObject) -> None:
        """Copy the members of an execution, not what they contain."""
        super().__init__(document)
        self.known: dict[Callable[..., Any], Any] = {}


def derived(function: Callable[[Json], Found]) -> Callable[[Json], Found]:
    """Return a function of an execution that is computed once for each `Execution`.

    Its result is shared by all rules, so it should be immutable. Of a plain JSON object, which may
    change at any time, nothing is stored.
    """

    @wraps(function)
    def once(execution: Json) -> Found:
        try:
            found: Found = execution.known[function]
        except AttributeError:  # plain JSON
            return function(execution)
        except KeyError:
            found = execution.known[function] = function(execution)
        return found

    return once


@dataclass(frozen=True, slots=True)
class Part:
    """The run or one of its steps, at `pointer` from the execution.

    `started` and `ended` are its times, None if they are absent or invalid.
    """

    pointer: str
    document: JsonObject
    started: datetime | None
    ended: datetime | None

    def at(self, *parts: str | int) -> str:
        """Return the JSON Pointer of a member, from the execution."""
        return self.pointer + pointer_to(*parts)

    def get(self, name: str) -> Json:
        """Return a member, None if it is absent."""
        return self.document.get(name)


@dataclass(frozen=True, slots=True)
class Step(Part):
    """One object of `steps`; `index` is its index there.

    `status` and `step_id` are None if they are no texts. A step with an `iteration` ran inside a
    loop.
    """

    index: int
    status: str | None
    step_id: str | None
    is_iteration: bool

    @property
    def has_started(self) -> bool:
        """Return whether `started_at` is a start; for other steps it is when they were queued."""
        return self.status in STARTED


@derived
def steps_of(execution: Json) -> tuple[Step, ...]:
    """Return the steps that are objects, in order."""
    steps = enumerate(elements(members(execution).get("steps")))
    return tuple(_step(index, step) for index, step in steps if isinstance(step, dict))


def _step(index: int, step: JsonObject) -> Step:
    return Step(
        pointer=f"/steps/{index}",
        document=step,
        started=parse_timestamp(step.get("started_at")),
        ended=parse_timestamp(step.get("ended_at")),
        index=index,
        status=text(step.get("status")),
        step_id=text(step.get("step_id")),
        is_iteration=number(step.get("iteration")) is not None,
    )


@derived
def parts_of(execution: Json) -> tuple[Part, ...]:
    """Return the run and each step: everything with a start and an end."""
    run = members(execution)
    started, ended = parse_timestamp(run.get("started_at")), parse_timestamp(run.get("ended_at"))
    return (Part("", run, started, ended), *steps_of(execution))


@derived
def step_statuses(execution: Json) -> frozenset[str | None]:
    """Return every status that a step has; None stands for what is no text."""
    return frozenset(step.status for step in steps_of(execution))
