"""The changes of a session over the shared world: a fold over its events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deadringer.contracts import JsonObject
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.events import Event, UnreadableEventError

from .scenarios import Scenario
from .started_runs import SessionPlans, StartedRuns

Run = tuple[str, str]
"""Workflow id and run id."""


@dataclass(slots=True)
class Session:
    """The changes of one session.

    `clock` is the clock that was set, None for the one it began with. `start` is the clock of the
    session's own start, None for the server's. `executions` holds the documents that were put,
    None for one that was deleted. `faults` are the transport faults by id. `contract_faults` are
    the names of contract faults, None for those the server started with. `began_ms` is when its
    `scenario` began (ms since 1970, on its own clock).
    """

    name: str
    world: str
    """The name of the world it began in: in the same world, the same body yields the same plan."""
    plans: SessionPlans
    clock: VirtualClock | None = None
    start: VirtualClock | None = None
    executions: dict[Run, JsonObject | None] = field(default_factory=dict)
    started: StartedRuns = field(init=False)
    faults: dict[str, JsonObject] = field(default_factory=dict)
    contract_faults: tuple[str, ...] | None = None
    chaos: str | None = None
    scenario: Scenario | None = None
    began_ms: int = 0
    beginning: JsonObject = field(default_factory=dict)
    """The body of the event it began with, from which all unchanged fields follow."""
    begun: int = 0
    """The number of the event it began with; counts from before it do not apply."""
    generation: int = 0
    """The number of the last event; anything made from an older state is out of date."""
    saved: int = 0
    """The number of the last event that is in the log's snapshot of this session."""
    used: int = 0
    """Rises with each use; the session with the lowest value is the least recently used."""

    def __post_init__(self) -> None:
        """Begin without started runs."""
        self.started = StartedRuns(self.plans)


Beginning = Callable[[str, JsonObject], Session]
"""Makes a new session of a name, from the body of a `reset` or `scenario` event."""
Starting = Callable[[Session, JsonObject], JsonObject | None]
"""Returns the body of a `started` event as a session holds it, None if it cannot be planned."""


UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
"""What is raised where an event or a snapshot is not as this version writes it."""


def apply(session: Session, event: Event, begin: Beginning, start: Starting) -> Session:
    """Return the session after an event; the session passed in must not be used afterwards.

    Raises:
        UnreadableEventError: if this version does not know the kind of the event, or its body.
    """
    try:
        return _applied(session, event, begin, start)
    except UNREADABLE as problem:
        raise UnreadableEventError(event.number, event.kind, problem_of(problem)) from problem


def _applied(session: Session, event: Event, begin: Beginning, start: Starting) -> Session:
    body = event.body
    if event.kind not in _CHANGES:
        require_known(event.kind, body)
    if event.kind in _OF_THE_WHOLE:
        session.generation = event.number  # its holders see that it is outdated
        session = begin(session.name, body)
        session.begun = event.number
    elif event.kind == "started":
        held = start(session, body)
        if held is not None:
            session.started.add(held)
    else:
        change(session, event.kind, body)
    session.generation = event.number
    return session


def change(session: Session, kind: str, body: JsonObject) -> None:
    """Change a session by the body of an event that neither begins it nor starts a run.

    Raises:
        ValueError, LookupError or TypeError: if this version does not know the body.
    """
    require_known(kind, body)
    _CHANGES[kind](session, body)


def _put(session: Session, body: JsonObject) -> None:
    run = body["workflow_id"], body["run_id"]
    session.executions.pop(run, None)  # the newest change comes last
    session.executions[run] = body.get("execution")


def _moved(session: Session, body: JsonObject) -> None:
    session.started.move(body["run_id"], body["transitions"])


def _clock(session: Session, body: JsonObject) -> None:
    session.clock = VirtualClock.from_json(body) if body else None


def _fault(session: Session, body: JsonObject) -> None:
    from deadringer.mockserver.faults.transport import KINDS  # few sessions have a fault

    KINDS[body["kind"]]
    session.faults[body["id"]] = body


def _fault_removed(session: Session, body: JsonObject) -> None:
    if body.get("id") is None:
        session.faults.clear()
    else:
        session.faults.pop(body["id"], None)


def _contract_faults(session: Session, body: JsonObject) -> None:
    if body["value"]:
        from deadringer.mockserver.faults.contract import UnknownFaultError, faults_named

        try:
            faults_named(body["value"])
        except UnknownFaultError as problem:
            raise ValueError(str(problem)) from problem
    session.contract_faults = tuple(body["value"])


def _chaos(session: Session, body: JsonObject) -> None:
    from deadringer.mockserver.faults.transport import CHAOS

    if body["value"] not in {"", *CHAOS}:
        raise ValueError(f"the mix of faults {body['value']!r} is unknown")
    session.chaos = body["value"]


_OF_THE_WHOLE = ("reset", "scenario")
_CHANGES: Mapping[str, Callable[[Session, JsonObject], None]] = {
    "put": _put,
    "moved": _moved,
    "clock": _clock,
    "fault": _fault,
    "fault_removed": _fault_removed,
    "contract_faults": _contract_faults,
    "chaos": _chaos,
}
_MEMBERS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "reset": ({}, {"started": str}),
    "scenario": (
        {},
        {
            "name": str,
            "document": dict,
            "clock": (dict, type(None)),
            "started": (str, type(None)),
            "began": str,
        },
    ),
    "started": (
        {
            "workflow_id": str,
            "run_id": str,
            "started_at": str,
            "price": (int, float),
            "world": str,
            "workflow": dict,
        },
        {"drive": str},
    ),
    "put": ({"workflow_id": str, "run_id": str}, {"execution": (dict, type(None))}),
    "moved": ({"run_id": str, "transitions": int}, {}),
    "clock": ({}, {"began": str, "since": str, "speed": (int, float)}),
    "fault": ({"id": str, "kind": str}, {}),
    "fault_removed": ({}, {"id": (str, type(None))}),
    "contract_faults": ({"value": list}, {}),
    "chaos": ({"value": str}, {}),
}
"""By kind of event: the required and the optional members of its body, with their types."""
_OPEN = frozenset({"started", "fault"})
"""Kinds whose bodies may hold further members, which the user sent."""


def require_known(kind: str, body: JsonObject) -> None:
    """Raise ValueError unless this version knows the kind and the body of an event."""
    if kind not in _MEMBERS:
        raise ValueError(f"the kind is unknown; known are {', '.join(_MEMBERS)}")
    if not isinstance(body, dict):
        raise ValueError("its body is no object")  # noqa: TRY004 - one error for all bodies
    required, optional = _MEMBERS[kind]
    for name in required.keys() - body.keys():
        raise ValueError(f"its body lacks {name}")
    for name, value in body.items():
        wanted = required.get(name, optional.get(name))
        if wanted is None and kind not in _OPEN:
            raise ValueError(f"its body has the unknown member {name}")
        if wanted is not None and not isinstance(value, wanted):
            raise ValueError(f"{name} of its body is {type(value).__name__}")


def problem_of(problem: Exception) -> str:
    """Return in words why an event or a snapshot is unreadable."""
    return f"{problem.args[0]!r} is unknown" if isinstance(problem, KeyError) else str(problem)
