"""What requests see and change: sessions, their worlds, clocks and started runs."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime

from deadringer.contracts import JsonObject, Operation, format_timestamp, operations
from deadringer.contracts.redaction import SecretRedactor
from deadringer.fixtures import World
from deadringer.mockserver.config import Settings
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state import open_event_log
from deadringer.mockserver.state.clock import Clock, VirtualClock, milliseconds_of, start_clock
from deadringer.mockserver.state.events import (
    EVERY_SESSION,
    ChangedMeanwhileError,
    EventLog,
    StateUnreachableError,
    UnreadableEventError,
    UnreadableStateError,
)
from deadringer.mockserver.state.rate_limits import RateLimits

from .build import USUAL_RUNS, make_repository, repository_of_scenario, reserved_repository
from .credits import credits_left
from .documents import ExecutionSource
from .repository import FoundRun, RunRepository
from .reserved_ids import RESERVED_WORKFLOWS
from .scenarios import Scenario, load_scenario
from .session_cache import SessionCache
from .sessions import Session
from .started_runs import PlanCache, SessionPlans, StartedRun
from .usable_state import require_same_world, unusable_state

LOG = logging.getLogger("deadringer")
_MOST_REPOSITORIES = 15
_OPERATIONS = {operation.operation_id: operation for operation in operations()}


@dataclass(slots=True)
class Snapshot:
    """A session, its workflows and runs, and the time, as one request sees them."""

    repository: RunRepository
    session: Session
    clock: VirtualClock
    machine_now: datetime
    now: datetime
    """The time of the session's clock, fixed for the whole request."""
    now_ms: int
    generation: int
    """The session's generation when the request arrived; it may have changed since."""
    is_reserved: bool = False
    """Whether the repository is that of the reserved workflows."""

    def find(self, workflow_id: str, run_id: str) -> FoundRun | None:
        """Return a run as it is now, or None if the workflow has no such run."""
        return self.repository.find(self.session, workflow_id, run_id, self.now_ms)

    def rows(self, workflow_id: str, offset: int, size: int) -> tuple[list[JsonObject], int]:
        """Return `size` rows of a workflow's list from `offset` on, and the total count."""
        return self.repository.rows(self.session, workflow_id, self.now_ms, offset, size)

    def workflow(self, workflow_id: str) -> JsonObject | None:
        """Return a workflow with its number of runs."""
        return self.repository.workflow(self.session, workflow_id, self.now_ms)

    def workflows(self) -> list[JsonObject]:
        """Return every workflow."""
        every = (self.workflow(workflow_id) for workflow_id in self.repository.workflows)
        return [workflow for workflow in every if workflow]


@dataclass(slots=True)
class Service:
    """The state behind the application.

    `executions` is replaced as a whole when files change (see `use`); a view reads it once.
    `repository` is the world around them; `events` holds the changes of all sessions.
    """

    settings: Settings
    executions: ExecutionSource
    clock: Clock
    rate_limits: RateLimits = field(init=False)
    redactor: SecretRedactor = field(init=False)
    repository: RunRepository = field(init=False)
    events: EventLog = field(init=False)
    scenario: Scenario | None = field(init=False, default=None)
    _start: VirtualClock = field(init=False)
    _repositories: dict[str, tuple[ExecutionSource, RunRepository]] = field(
        init=False, default_factory=dict
    )
    """By scenario key, the executions a repository was built from, and the repository.

    A request may build one from executions that are replaced before it is stored.
    """
    _sessions: SessionCache = field(init=False)
    _plans: PlanCache = field(init=False, default_factory=PlanCache)

    def __post_init__(self) -> None:
        """Build the state that follows from the settings."""
        settings = self.settings
        self.redactor = SecretRedactor(settings.api_keys)
        self.events = open_event_log(settings.state)
        self.rate_limits = self._rate_limits()
        try:
            began = self.events.set_once("began", self.clock.now().isoformat())
            # After a restart a fast clock continues from where it was, not from the restart.
            self._start = self._start_at(began)
        except (UnreadableStateError, StateUnreachableError, ValueError) as problem:
            raise unusable_state(self.settings, self.events, problem) from problem
        if settings.scenario is not None:
            served = [*self.executions.workflow_ids()]
            self.scenario = load_scenario(settings.scenario, settings.seed, served)
        require_same_world(settings, self.events, self.scenario)
        self.repository = self._repository(self.scenario, self.executions)
        self._sessions = SessionCache(
            self.events, self._begin, self._started, settings.max_sessions
        )
        self._replay()
        self.events.follow(self._sessions.catch_up)

    def _replay(self) -> None:
        """Apply all events of the log, so that the first request does not wait for it.

        Raises:
            StartError: if the log is damaged, or holds what this version does not know.
        """
        try:
            self._sessions.replay()
        except (UnreadableEventError, UnreadableStateError, StateUnreachableError) as problem:
            raise unusable_state(self.settings, self.events, problem) from problem

    def _rate_limits(self) -> RateLimits:
        policy, is_enforced = self.settings.rate_policy, self.settings.rate_limit == "enforce"
        windows = self.events.rate_windows(policy.window_s, is_exact=is_enforced)
        return RateLimits(policy, windows, is_enforced=is_enforced)

    def close(self) -> None:
        """Write all changes into the state file and release it."""
        self._sessions.close()
        self.events.close()

    def use(self, executions: ExecutionSource) -> None:
        """Serve other executions from now on; changes of sessions are retained."""
        repository = self._repository(self.scenario, executions)
        self.executions = executions
        self.repository = repository

    def take_over(self, new: ExecutionSource) -> bool:
        """Serve other executions; return whether they differ from those served before.

        They are not stored in the state file: the next start reads its own folders.
        """
        if _contents(new) == _contents(self.executions):
            return False
        self.use(new)
        return True

    def snapshot(self, name: str = "", workflow_id: str = "") -> Snapshot:
        """Return what a request of a session sees now; below a reserved workflow, only those."""
        whole = self._snapshot_of(self.session(name))
        return self.narrowed(whole, workflow_id) if workflow_id else whole

    def last_known_snapshot(self) -> Snapshot:
        """Return what a request sees that depends on no session; it asks for no state."""
        return self._snapshot_of(self._sessions.in_memory())

    def _snapshot_of(self, session: Session) -> Snapshot:
        machine_now = self.clock.now()
        repository, generation = self.repository_of(session), session.generation
        clock = self._clock_of(session)
        now = clock.at(machine_now)
        now_ms = milliseconds_of(now)
        return Snapshot(repository, session, clock, machine_now, now, now_ms, generation)

    def narrowed(self, snapshot: Snapshot, workflow_id: str) -> Snapshot:
        """Return the snapshot as a request below a workflow sees it, reserved or not."""
        if workflow_id not in RESERVED_WORKFLOWS or workflow_id in snapshot.repository.workflows:
            return snapshot
        return replace(
            snapshot, repository=reserved_repository(self.settings.seed), is_reserved=True
        )

    def now(self, name: str = "") -> datetime:
        """Return the time of a session."""
        return self.session_clock(name).at(self.clock.now())

    def session(self, name: str = "") -> Session:
        """Return a session as it is now; only `change` may modify it."""
        return self._sessions.get(name)

    def require_current(self) -> None:
        """Apply all that is acknowledged.

        Raises:
            StateUnreachableError: if it cannot be known.
            UnreadableStateError: if this version does not know a change.
        """
        self._sessions.catch_up()

    def session_names(self) -> list[str]:
        """Return the names of the sessions that were changed; "" is the default session."""
        return self._sessions.names()

    def repository_of(self, session: Session) -> RunRepository:
        """Return the repository of a session: of its scenario, or of the server's start."""
        return self._repository_of_scenario(session.scenario)

    def _repository_of_scenario(self, scenario: Scenario | None) -> RunRepository:
        if scenario is None or (self.scenario and scenario.key == self.scenario.key):
            return self.repository
        executions = self.executions
        made_of, found = self._repositories.get(scenario.key, (None, None))
        if found is None or made_of is not executions:
            found = self._repository(scenario, executions)
            current = [
                (key, one) for key, one in self._repositories.items() if one[0] is executions
            ]
            self._repositories = {
                **dict(current[-_MOST_REPOSITORIES:]),
                scenario.key: (executions, found),
            }
        return found

    @property
    def is_caught_up(self) -> bool:
        """Whether every event is applied to its session; reading this takes no lock."""
        return self._sessions.is_caught_up

    def is_undisturbed(self, session: Session) -> bool:
        """Return whether no fault of any kind can apply to the session's requests.

        False for a session that is not in memory: later changes would not reach this object.
        """
        return self._sessions.holds(session) and not (
            session.faults or session.scenario or self.chaos(session) or self.chosen_faults(session)
        )

    def session_clock(self, name: str = "") -> VirtualClock:
        """Return the clock of a session."""
        return self._clock_of(self.session(name))

    def _clock_of(self, session: Session) -> VirtualClock:
        return session.clock or session.start or self._start

    def contract_faults(self, session: Session, now: datetime) -> tuple[str, ...]:
        """Return the contract faults in force: those the session chose, and its scenario's."""
        chosen = self.chosen_faults(session)
        if session.scenario is None or not session.scenario.document.get("contract_faults"):
            return chosen
        passed_s = (milliseconds_of(now) - session.began_ms) / 1000
        return tuple(dict.fromkeys([*chosen, *session.scenario.contract_faults(passed_s)]))

    def chosen_faults(self, session: Session) -> tuple[str, ...]:
        """Return the contract faults a session chose, or those the server started with."""
        chosen = session.contract_faults
        return self.settings.breaks if chosen is None else chosen

    def chaos(self, session: Session) -> str:
        """Return the name of the session's mix of transport faults, "" for none."""
        if session.chaos is not None:
            return session.chaos
        of_scenario = session.scenario.chaos if session.scenario else None
        return self.settings.chaos or of_scenario or ""

    def change(self, name: str, kind: str, body: JsonObject, after: int | None = None) -> Session:
        """Change a session and return it as it is afterwards.

        Raises:
            ChangedMeanwhileError: if the session has an event after the number `after`.
            ApiError: INSUFFICIENT_STORAGE if the change cannot be stored; nothing is changed then.
            UnreadableEventError: if the change is invalid; nothing is changed then.
        """
        self._sessions.check(name, kind, body)
        self.events.add(name, kind, body, after)
        session = self._sessions.get(name)
        self._sessions.compact_if_due()
        return session

    def reset(self, name: str) -> None:
        """Reset a session, as if the server had been started now."""
        self.change(name, "reset", {"started": self.clock.now().isoformat()})

    def reset_all(self) -> None:
        """Reset every session, as if the server had been started now."""
        self.change(EVERY_SESSION, "reset_all", {"started": self.clock.now().isoformat()})

    def start_run(
        self,
        snapshot: Snapshot,
        workflow_id: str,
        wanted: JsonObject,
        *,
        may_overdraw: bool = False,
    ) -> StartedRun:
        """Start a run of a known workflow now; the run is stored once this returns.

        `wanted` may hold status, fails_at, steps, duration_ms, overrides, action_mocks and drive.

        Raises:
            ApiError: VALIDATION_ERROR if the workflow cannot have that many steps, or a run that
                never ends gets a duration; INSUFFICIENT_CREDITS if it costs more than is left.
        """
        # The log counts: another thread may start a run of this session at the same time.
        ordinal = self.events.count(snapshot.session.name, "started")
        run_id = snapshot.repository.new_run_id(workflow_id, ordinal, snapshot.now)
        body = {
            **{name: value for name, value in wanted.items() if value not in (None, {})},
            "workflow_id": workflow_id,
            "run_id": run_id,
            "started_at": format_timestamp(snapshot.now),
            # Documents may change; a started run continues with the workflow it began with.
            "workflow": snapshot.repository.workflows[workflow_id],
        }
        try:
            plan, price = snapshot.repository.plan_started(body)
        except ValueError as problem:
            reason, _, fix = str(problem).partition(". ")
            raise ApiError(
                "VALIDATION_ERROR",
                f"The run cannot be planned: {reason}",
                fix.rstrip(".") or "Leave out what is not possible",
            ) from problem
        body |= {"price": price, "world": snapshot.session.world}
        session = self._start_if_paid(snapshot, body, may_overdraw=may_overdraw)
        # If the session was reset meanwhile, the run was started and is already gone.
        run = session.started.get(run_id)
        if run is None:
            shared = {one: body[one] for one in body.keys() - {"run_id", "started_at"}}
            plans = SessionPlans(lambda _body: plan, PlanCache(1))
            return StartedRun(run_id, snapshot.now_ms, shared, 0, plans)
        if not snapshot.is_reserved:
            session.plans.put(run_id, plan)
        return run

    def _start_if_paid(
        self, snapshot: Snapshot, body: JsonObject, *, may_overdraw: bool
    ) -> Session:
        """Add a run and return its session; two runs never spend the same credits.

        Raises:
            ApiError: INSUFFICIENT_CREDITS.
        """
        name, price = snapshot.session.name, body["price"]
        while True:
            session = self.session(name)
            number = session.generation  # before the credits, which may change meanwhile
            left = credits_left(session, snapshot.now)
            if price > left and not may_overdraw:
                raise ApiError(
                    "INSUFFICIENT_CREDITS",
                    f"The run costs {price:g} credits, {left:g} are left",
                    "Mock actions in test_config.action_mocks, wait for next_reset, "
                    "or POST /__mock/reset",
                )
            try:
                is_free = may_overdraw or not price
                return self.change(name, "started", body, None if is_free else number)
            except ChangedMeanwhileError:
                continue

    def operation(self, operation_id: str) -> Operation:
        """Return an operation of the specification.

        Raises:
            KeyError: if no operation has that id, which is a bug.
        """
        return _OPERATIONS[operation_id]

    def _started(self, session: Session, body: JsonObject) -> JsonObject | None:
        """Return a started run, or None if it cannot be planned in the present world."""
        if body["world"] == session.world:
            return body
        try:
            _plan, price = self.repository_of(session).plan_started(body)
        except (KeyError, ValueError):
            LOG.warning(
                "Run %s is skipped: its workflow is no longer served, or was changed.",
                body["run_id"],
            )
            return None
        return {**body, "price": price, "world": session.world}

    def _begin(self, name: str, body: JsonObject) -> Session:
        """Return a new session; `body` holds its start time, clocks and scenario.

        `started` is the machine's time of its own start, which replaces that of the server.
        """
        scenario = self.scenario
        if body.get("document") is not None:
            scenario = Scenario(body["name"], body["document"])
        clock = VirtualClock.from_json(body["clock"]) if body.get("clock") else None
        start = self._start_at(body["started"]) if body.get("started") else None
        own = (start or self._start).began
        began = datetime.fromisoformat(body["began"]) if "began" in body else own
        return Session(
            name,
            self._world_of(scenario),
            SessionPlans(
                lambda started: self._repository_of_scenario(scenario).plan_started(started)[0],
                self._plans,
            ),
            clock,
            start,
            scenario=scenario,
            began_ms=milliseconds_of(began),
            beginning=body,
        )

    def _world_of(self, scenario: Scenario | None) -> str:
        """Return the name of the world plans depend on: its seed and scenario."""
        if scenario is None:
            return "0" if self.settings.empty else str(self.settings.seed)
        return f"{self.settings.seed} {scenario.key[:16]}"

    def _start_at(self, machine: str) -> VirtualClock:
        settings = self.settings
        return start_clock(datetime.fromisoformat(machine), settings.freeze, settings.speed)

    def _repository(self, scenario: Scenario | None, executions: ExecutionSource) -> RunRepository:
        settings, count = self.settings, self.settings.runs_per_workflow
        if scenario is None:
            world = None if settings.empty else World(settings.seed, count or USUAL_RUNS)
            return make_repository(
                executions.all_executions(), world, workflows=executions.own_workflows()
            )
        return repository_of_scenario(scenario, settings, executions)


def _contents(executions: ExecutionSource) -> tuple[list[JsonObject], list[JsonObject]]:
    return [*executions.all_executions()], [*executions.own_workflows()]
