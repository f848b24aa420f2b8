"""The world around executions: workflows, their lists of runs, the catalogue, test runs.

Everything is derived from the executions that are served and the seeded world, with the changes of
a session applied, so that list, detail, definition and balance always agree.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain, count, islice
from typing import TYPE_CHECKING, NamedTuple

from deadringer import fixtures
from deadringer.contracts import JsonObject, format_timestamp, parse_timestamp
from deadringer.fixtures import Window, World
from deadringer.mockserver.state.clock import milliseconds_of

from .credits import price_of
from .listing import Held, Listing
from .scenarios import Script, ScriptedRun, planned
from .sessions import Session
from .started_runs import started_execution

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

CATEGORY_SYNONYMS = {
    "control-flow": "control_flow",
    "integrations": "integration",
    "utilities": "utility",
}
_NOTHING = Window(0, -1)
_ROWS_KEPT = 8192
_ROW = {
    "run_id": "run_id",
    "status": "status",
    "started_at": "started_at",
    "completed_at": "ended_at",
    "duration": "duration_ms",
    "error": "error",
}
"""By member of a list row, the member of the execution it shows."""


class FoundRun(NamedTuple):
    """An execution and where it came from: recorded, generated, started or changed."""

    execution: JsonObject
    kind: str

    @property
    def is_terminal(self) -> bool:
        """Whether it never changes by itself."""
        return bool(self.execution.get("status") != "running")


@dataclass(slots=True)
class RunRepository:
    """Workflows and runs; the session's changes and the time are arguments."""

    executions: dict[str, dict[str, JsonObject]]
    workflows: Mapping[str, JsonObject]
    catalogue: Sequence[JsonObject]
    world: World | None = None
    seed: int = 0
    script: Script | None = None
    _ended_rows: Callable[[str, int], tuple[JsonObject, int]] = field(init=False)
    _numbers: dict[str, tuple[int, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Create the cache of list rows that never change."""
        self._ended_rows = lru_cache(maxsize=_ROWS_KEPT)(self._ended_row)

    def find(self, session: Session, workflow_id: str, run_id: str, now_ms: int) -> FoundRun | None:
        """Return a run as it is at a time, or None if the workflow has no such run."""
        if (workflow_id, run_id) in session.executions:
            changed = session.executions[workflow_id, run_id]
            return None if changed is None else FoundRun(changed, "changed")
        started = session.started.get(run_id)
        is_served = workflow_id in self.workflows  # documents or scenario may have changed
        if started is not None and started.workflow_id == workflow_id and is_served:
            return FoundRun(started_execution(started, now_ms), "started")
        if self.script is not None:
            plan = self.script.plan(workflow_id, run_id, session.began_ms, now_ms)
            if plan is not None:
                return FoundRun(fixtures.view_run(plan, now_ms), "scenario")
        recorded = self.executions.get(workflow_id, {}).get(run_id)
        if recorded is not None:
            return FoundRun(recorded, "recorded")
        number = self._number(workflow_id, run_id, now_ms)
        if number is None or self.world is None:
            return None
        return FoundRun(
            fixtures.view_run(self.world.plan(workflow_id, number), now_ms), "generated"
        )

    def listing(self, session: Session, workflow_id: str, now_ms: int) -> Listing:
        """Return the order of a workflow's runs, newest first."""
        gaps = list(self._replaced(workflow_id))
        others = sorted(self._others(session, workflow_id, now_ms), key=_newest_first)
        count, runs = session.started.of_workflow(workflow_id)
        changed = {run_id for workflow, run_id in [*session.executions] if workflow == workflow_id}
        shown = (
            Held(run_id, moment, partial(self._started, session, run_id, now_ms))
            for moment, run_id in runs
            if run_id not in changed
        )
        if count:
            count -= sum(1 for run_id in changed if self._is_started(session, workflow_id, run_id))
        held = heapq.merge(shown, others, key=_newest_first)
        count += len(others)
        for workflow, run_id in [*session.executions]:
            number = self._number(workflow, run_id, now_ms) if workflow == workflow_id else None
            if number is not None:
                gaps.append(number)
        if self.world is None or workflow_id not in self.world.workflows:
            return Listing(held, count, _NOTHING, (), lambda _moment: -1)
        world = self.world
        return Listing(
            held,
            count,
            world.window(workflow_id, now_ms),
            gaps,
            lambda moment: world.newest_at(workflow_id, moment),
        )

    def _replaced(self, workflow_id: str) -> tuple[int, ...]:
        """Return the numbers of the world's runs that documents replace."""
        found = self._numbers.get(workflow_id)
        if found is None:
            found = self._numbers[workflow_id] = tuple(self._numbers_of_documents(workflow_id))
        return found

    def _numbers_of_documents(self, workflow_id: str) -> Iterator[int]:
        if self.world is None or workflow_id not in self.world.workflows:
            return
        for run_id in self.executions.get(workflow_id, ()):
            number = self.world.number_at_any_time(workflow_id, run_id)
            if number is not None:
                yield number

    def rows(
        self, session: Session, workflow_id: str, now_ms: int, offset: int, size: int
    ) -> tuple[list[JsonObject], int]:
        """Return `size` rows of a workflow's list from `offset` on, and the total count."""
        listing = self.listing(session, workflow_id, now_ms)
        rows = [
            row_of(place.execution())
            if isinstance(place, Held)
            else self._row(workflow_id, place, now_ms)
            for place in listing.page(offset, size)
        ]
        return rows, listing.count

    def _row(self, workflow_id: str, number: int, now_ms: int) -> JsonObject:
        assert self.world is not None
        ended, ended_ms = self._ended_rows(workflow_id, number)
        if ended_ms <= now_ms:
            return ended
        return row_of(fixtures.view_run(self.world.plan(workflow_id, number), now_ms))

    def _ended_row(self, workflow_id: str, number: int) -> tuple[JsonObject, int]:
        """Return the row of a run after its end, and the time of the end (ms since 1970)."""
        assert self.world is not None
        row = row_of(fixtures.view_run(self.world.plan(workflow_id, number)))
        return row, _moment(row["completed_at"])

    def _started(self, session: Session, run_id: str, now_ms: int) -> JsonObject:
        return started_execution(session.started[run_id], now_ms)

    def _is_started(self, session: Session, workflow_id: str, run_id: str) -> bool:
        run = session.started.get(run_id)
        return run is not None and run.workflow_id == workflow_id

    def _others(self, session: Session, workflow_id: str, now_ms: int) -> Iterator[Held]:
        """Yield the runs in memory that were not started: changed, scripted and recorded ones."""
        # Copies: another thread may change the session meanwhile.
        for (workflow, run_id), execution in reversed([*session.executions.items()]):
            if workflow == workflow_id and execution is not None:
                moment = _moment(execution.get("started_at"))
                yield Held(run_id, moment, partial(_same, execution))
        if self.script is not None:
            for run_id, moment in self.script.started(workflow_id, session.began_ms, now_ms):
                if (workflow_id, run_id) not in session.executions:
                    view = partial(self._scripted, session, workflow_id, run_id, now_ms)
                    yield Held(run_id, moment, view)
        for run_id, execution in self.executions.get(workflow_id, {}).items():
            if (workflow_id, run_id) not in session.executions:
                # After the clock was set back, a run in the future is listed as starting now.
                moment = min(_moment(execution["started_at"]), now_ms)
                yield Held(run_id, moment, partial(_same, execution))

    def _scripted(self, session: Session, workflow_id: str, run_id: str, now_ms: int) -> JsonObject:
        assert self.script is not None
        plan = self.script.plan(workflow_id, run_id, session.began_ms, now_ms)
        assert plan is not None, "it has started"
        execution: JsonObject = fixtures.view_run(plan, now_ms)
        return execution

    def _number(self, workflow_id: str, run_id: str, now_ms: int) -> int | None:
        if self.world is None or workflow_id not in self.world.workflows:
            return None
        return self.world.number_of(workflow_id, run_id, now_ms)

    def owner_of(self, session: Session, run_id: str, now_ms: int) -> str | None:
        """Return the workflow a run belongs to."""
        for workflow_id in self.workflows:
            if self.find(session, workflow_id, run_id, now_ms):
                return workflow_id
        return None

    def newest_run_ids(
        self, session: Session, workflow_id: str, now_ms: int, size: int = 200
    ) -> list[str]:
        """Return up to `size` ids to suggest: recorded runs, then the newest of the list."""
        recorded = self.executions.get(workflow_id, {})
        known = (one for one in recorded if (workflow_id, one) not in session.executions)
        listed = self._listed_ids(session, workflow_id, now_ms, size)
        return list(islice(dict.fromkeys(chain(known, listed)), size))

    def _listed_ids(
        self, session: Session, workflow_id: str, now_ms: int, size: int
    ) -> Iterator[str]:
        for place in self.listing(session, workflow_id, now_ms).page(0, size):
            if isinstance(place, Held):
                yield place.run_id
            elif self.world is not None:
                yield self.world.run_id(workflow_id, place)

    def workflow(self, session: Session, workflow_id: str, now_ms: int) -> JsonObject | None:
        """Return a workflow with its current number of runs, or None if there is none."""
        described = self.workflows.get(workflow_id)
        if described is None:
            return None
        return {
            **described,
            "execution_count": self.listing(session, workflow_id, now_ms).count,
        }

    def new_run_id(self, workflow_id: str, ordinal: int, now: datetime) -> str:
        """Return the id of the ordinal-th run that a session starts."""
        name = f"{self.seed} {workflow_id} {ordinal} {format_timestamp(now)}"
        return "run_" + hashlib.sha256(name.encode()).hexdigest()[:16]

    def plan_started(self, body: JsonObject) -> "tuple[RunPlan, float]":
        """Return the plan and the price of a run from the body of its event.

        Raises:
            ValueError: if the workflow cannot have the requested number of steps or fail at the
                requested step, or if a run that never ends is requested with a duration.
        """
        if "fails_at" in body:
            plan = self._failing(body)
        else:
            plan = self._doomed(body) or self._planned(body, self.seed)
            if body.get("duration_ms") is not None:
                plan = fixtures.stretched(plan, body["duration_ms"])
        return plan, price_of(plan, self.catalogue, body.get("action_mocks") or {})

    def _doomed(self, body: JsonObject) -> "RunPlan | None":
        """Return the plan of a run that fails at an operation the scenario fails, or None."""
        if self.script is None or "status" in body:
            return None
        failed = {**body, "status": "failed"}
        seeds = (f"{self.seed} {variant}" for variant in count())
        return self.script.doomed(self._planned(failed, seed) for seed in seeds)

    def _failing(self, body: JsonObject) -> "RunPlan":
        run = ScriptedRun(body["workflow_id"], body["run_id"], 0, body)
        blueprint = fixtures.compile_workflow(
            body.get("workflow") or self.workflows[run.workflow_id]
        )
        return planned(self.seed, blueprint, run, _moment(body["started_at"]))

    def _planned(self, body: JsonObject, seed: int | str) -> "RunPlan":
        steps = body.get("steps")
        return fixtures.plan_run(
            seed,
            body.get("workflow") or self.workflows[body["workflow_id"]],
            body["run_id"],
            body["started_at"],
            status={body.get("status", "completed"): 1.0},
            steps=(steps, steps) if steps is not None else None,
            overrides=body.get("overrides") or None,
            action_mocks=body.get("action_mocks") or None,
        )

    def actions(self, category: str | None) -> list[JsonObject]:
        """Return the catalogue, or the actions of one category under any of its spellings."""
        wanted = CATEGORY_SYNONYMS.get(category or "", category)
        return [one for one in self.catalogue if wanted in {None, one.get("category")}]


def row_of(execution: JsonObject) -> JsonObject:
    """Return the list row of an execution, without the members that it lacks."""
    return {name: execution[member] for name, member in _ROW.items() if member in execution}


def _same(execution: JsonObject) -> JsonObject:
    return execution


def _moment(text: str | None) -> int:
    moment = parse_timestamp(text) if isinstance(text, str) else None
    return milliseconds_of(moment) if moment else 0


def _newest_first(one: Held) -> int:
    return -one.started_at
