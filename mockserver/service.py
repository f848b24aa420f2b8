"""What every request shares: settings, the world, what sessions changed, and the rate limits."""

import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from contracts import JsonObject, Operation, operations
from fixtures import World

from .clock import Clock
from .executions import ExecutionSource
from .family import Family, Found, make_family
from .rate_limits import RateLimits
from .redaction import Redactor
from .runs import milliseconds_of
from .session_clock import SessionClock, start_clock
from .sessions import Session, apply
from .settings import Settings
from .shared_numbers import SharedLock, SharedNumber
from .store import Event, Store

if TYPE_CHECKING:
    from .peers import Peers

_OPERATIONS = {operation.operation_id: operation for operation in operations()}
SESSION_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
SESSION_IN_KEY = "__session_"
"""`trig_…__session_NAME` is the key `trig_…` in the session NAME."""


@dataclass(slots=True)
class Scene:
    """What one request sees: a session, the world and the time, which stands while it is told."""

    family: Family
    session: Session
    now: datetime
    now_ms: int
    generation: int
    """That of the session when the request came; it may have changed since."""

    def find(self, workflow_id: str, run_id: str) -> Found | None:
        """Give a run as it stands, None if the workflow has none of that id."""
        return self.family.find(self.session, workflow_id, run_id, self.now_ms)

    def rows(self, workflow_id: str, offset: int, size: int) -> tuple[list[JsonObject], int]:
        """Give some rows of a workflow's list, and how many it has in all."""
        return self.family.rows(self.session, workflow_id, self.now_ms, offset, size)

    def workflow(self, workflow_id: str) -> JsonObject | None:
        """Give a workflow with its number of runs."""
        return self.family.workflow(self.session, workflow_id, self.now_ms)

    def workflows(self) -> list[JsonObject]:
        """Give every workflow."""
        every = (self.workflow(workflow_id) for workflow_id in self.family.workflows)
        return [workflow for workflow in every if workflow]


@dataclass(slots=True)
class Service:
    """The state behind the application.

    `executions` is replaced as a whole when files change (see `use`); a view reads it once.
    `family` is the world around them; `store` keeps what was changed.
    """

    settings: Settings
    executions: ExecutionSource
    clock: Clock
    rate_limits: RateLimits = field(init=False)
    redactor: Redactor = field(init=False)
    family: Family = field(init=False)
    store: Store = field(init=False)
    peers: "Peers | None" = field(init=False, default=None)
    journal_numbers: SharedNumber | None = field(init=False, default=None)
    _start: SessionClock = field(init=False)
    _sessions: dict[str, Session] = field(init=False, default_factory=lambda: {"": Session("")})
    _seen: int = field(init=False, default=0)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make what follows from the settings."""
        settings = self.settings
        workers = settings.workers or 1
        lock = SharedLock(between_processes=workers > 1)
        if workers > 1:
            from .peers import Peers  # one process does without

            self.peers = Peers(workers)
            self.journal_numbers = SharedNumber(lock)
        self.rate_limits = RateLimits(
            settings.rate_policy, lock, is_enforced=settings.rate_limit == "enforce"
        )
        self.redactor = Redactor(settings.api_keys)
        self.store = Store(lock, settings.state)
        began = self.store.once("began", self.clock.now().isoformat())
        # After a restart a fast clock goes on from where it was, not from the restart.
        self._start = start_clock(datetime.fromisoformat(began), settings.freeze, settings.speed)
        self.family = self._family()

    def use(self, executions: ExecutionSource) -> None:
        """Serve other executions from now on; what sessions changed stays."""
        with self._lock:
            self.executions = executions
            self.family = self._family()

    def scene(self, name: str = "") -> Scene:
        """Give what a request of a session sees now."""
        session = self.session(name)
        family, generation = self.family, session.generation
        now = (session.clock or self._start).at(self.clock.now())
        return Scene(family, session, now, milliseconds_of(now), generation)

    def session(self, name: str = "") -> Session:
        """Give a session as all workers have left it; nobody but `change` may alter it."""
        if self.store.version != self._seen:
            self._catch_up()
        return self._sessions.get(name) or Session(name)

    def generation_of(self, session: Session) -> int:
        """Give the present generation of a session, after what other workers have changed."""
        if self.store.version != self._seen:
            self._catch_up()
        return session.generation

    def is_undisturbed(self, session: Session) -> bool:
        """Tell whether no fault of any kind may meet the session's requests.

        Of a session that was never changed nobody would learn that it was.
        """
        return session is self._sessions.get(session.name) and not (
            session.faults
            or session.scenario
            or self.chaos(session.name)
            or self.broken_promises(session.name)
        )

    def session_clock(self, name: str = "") -> SessionClock:
        """Give the clock of a session."""
        return self.session(name).clock or self._start

    def broken_promises(self, name: str = "") -> tuple[str, ...]:
        """Give the contract faults of a session: its own choice, or that of the start."""
        chosen = self.session(name).contract_faults
        return self.settings.breaks if chosen is None else chosen

    def chaos(self, name: str = "") -> str:
        """Give the mix of transport faults a session has, "" for none."""
        chosen = self.session(name).chaos
        return (self.settings.chaos or "") if chosen is None else chosen

    def change(self, name: str, kind: str, body: JsonObject) -> Session:
        """Change a session, for all workers; give it as it is then."""
        self.store.add(name, kind, body)
        return self.session(name)

    def operation(self, operation_id: str) -> Operation:
        """Give an operation of the specification.

        Raises:
            KeyError: if there is none of that id, which is a bug.
        """
        return _OPERATIONS[operation_id]

    def _catch_up(self) -> None:
        with self._lock:
            for event in self.store.since(self._seen):
                self._take(event)
                self._seen = event.number

    def _take(self, event: Event) -> None:
        session = self._sessions.get(event.session) or Session(event.session)
        self._sessions[event.session] = apply(session, event, self.family.plan_started)

    def _family(self) -> Family:
        settings = self.settings
        world = None if settings.empty else World(settings.seed, settings.runs_per_workflow)
        return make_family(self.executions.all_executions(), world)


def split_key(key: str) -> tuple[str, str]:
    """Give the key without the session it carries, and the session's name ("" for none)."""
    bare, _, name = key.partition(SESSION_IN_KEY)
    return (bare, name) if SESSION_NAME.fullmatch(name) else (key, "")
