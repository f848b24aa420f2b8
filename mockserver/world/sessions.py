"""What a session has changed over the shared world: a fold over its events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deadringer.contracts import JsonObject
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.events import BEGINNINGS, Event

from .scenarios import Scenario

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

Run = tuple[str, str]
"""Workflow id and run id."""

DRIVES = ("time", "immediate", "read", "manual")
"""What moves a started run: the clock, nothing (it is over at once), each read, or a command."""


@dataclass(slots=True)
class StartedRun:
    """A run that was started: its plan, what moves it, and how far it was moved by hand."""

    plan: "RunPlan"
    drive: str = "time"
    transitions: int = 0


@dataclass(slots=True)
class Session:
    """The changes of one session; `clock` None is the one it began with.

    `start` is the clock of its own start, None if that was the server's.
    `executions` holds documents that were put, None where one was deleted. `faults` are the
    transport faults by id, `contract_faults` the names of broken promises, None where those of
    the start hold. `began_ms` is when its `scenario` began (ms since 1970, on its own clock).
    """

    name: str
    clock: VirtualClock | None = None
    start: VirtualClock | None = None
    executions: dict[Run, JsonObject | None] = field(default_factory=dict)
    started: dict[str, StartedRun] = field(default_factory=dict)
    spent: list[tuple[int, float]] = field(default_factory=list)
    """When each run was started (ms since 1970), and what it cost."""
    faults: dict[str, JsonObject] = field(default_factory=dict)
    contract_faults: tuple[str, ...] | None = None
    chaos: str | None = None
    scenario: Scenario | None = None
    began_ms: int = 0
    begun: int = 0
    """The number of the event it began with: what was counted before is another session's."""
    generation: int = 0
    """The number of the last event: whatever was made from an older state is out of date."""


PlanMaker = Callable[[Session, JsonObject], "tuple[RunPlan, float]"]
"""Makes the plan and the price of a session's run from the body of its `started` event."""


Beginning = Callable[[str, JsonObject], Session]
"""Makes the session of a name as it begins, from the body of `reset` or `scenario`."""


def apply(session: Session, event: Event, begin: Beginning, make_plan: PlanMaker) -> Session:
    """Give the session after an event; the one before it is used up.

    Raises:
        KeyError: if the kind of the event is unknown, which is a bug.
    """
    if event.kind in BEGINNINGS:
        session.generation = event.number  # whoever holds it learns that it is over
        session = begin(session.name, event.body)
        session.begun = event.number
    elif event.kind == "started":
        plan, price = make_plan(session, event.body)
        session.started[plan.run_id] = StartedRun(plan, event.body.get("drive", "time"))
        session.spent.append((plan.started_at, price))
    else:
        _CHANGES[event.kind](session, event.body)
    session.generation = event.number
    return session


def _put(session: Session, body: JsonObject) -> None:
    run = body["workflow_id"], body["run_id"]
    session.executions.pop(run, None)  # the newest change stands last
    session.executions[run] = body.get("execution")


def _moved(session: Session, body: JsonObject) -> None:
    run = session.started.get(body["run_id"])
    if run is not None:
        run.transitions += body["transitions"]


def _clock(session: Session, body: JsonObject) -> None:
    session.clock = VirtualClock.from_json(body) if body else None


def _fault(session: Session, body: JsonObject) -> None:
    session.faults[body["id"]] = body


def _fault_removed(session: Session, body: JsonObject) -> None:
    if body.get("id") is None:
        session.faults.clear()
    else:
        session.faults.pop(body["id"], None)


def _set(name: str) -> Callable[[Session, JsonObject], None]:
    def change(session: Session, body: JsonObject) -> None:
        value: Any = body["value"]
        setattr(session, name, tuple(value) if isinstance(value, list) else value)

    return change


_CHANGES: Mapping[str, Callable[[Session, JsonObject], None]] = {
    "put": _put,
    "moved": _moved,
    "clock": _clock,
    "fault": _fault,
    "fault_removed": _fault_removed,
    "contract_faults": _set("contract_faults"),
    "chaos": _set("chaos"),
}
