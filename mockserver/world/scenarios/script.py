"""The runs a scenario lists: when each starts, relative to the scenario, and what it does."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from deadringer import fixtures
from deadringer.contracts import JsonObject

if TYPE_CHECKING:
    from deadringer.fixtures import Blueprint, RunPlan

_MAX_CACHED_PLANS = 512
_VARIANTS = 64
_EARLIEST_MS, _LATEST_MS = -62_000_000_000_000, 253_000_000_000_000
"""Runs start within the years 5 to 9987, so that their ends can still be written as timestamps."""


class ScriptedRun(NamedTuple):
    """A run of a scenario: it starts `offset_ms` after the scenario; `entry` describes it."""

    workflow_id: str
    run_id: str
    offset_ms: int
    entry: JsonObject


class Script:
    """The runs of a scenario; plans are made on demand and are the same each time."""

    def __init__(
        self,
        seed: int,
        entries: list[dict[str, Any]],
        workflows: Mapping[str, JsonObject],
        failing: Collection[str] = (),
    ) -> None:
        self._seed = seed
        self._failing = frozenset(failing)
        self._workflows = workflows
        self._blueprints: dict[str, Blueprint] = {}
        self._runs: dict[str, dict[str, ScriptedRun]] = {}
        for number, entry in enumerate(entries):
            for run in scripted_runs(seed, number, entry):
                self._runs.setdefault(run.workflow_id, {})[run.run_id] = run
        self._plan = lru_cache(maxsize=_MAX_CACHED_PLANS)(self._made)

    def doomed(self, plans: "Iterable[RunPlan]") -> "RunPlan | None":
        """Return the first plan that fails at a step whose operation fails, if any."""
        for plan in islice(plans, _VARIANTS if self._failing else 0):
            steps = (step.document for step in plan.steps)
            if any(
                one["status"] == "failed" and one["operation"] in self._failing for one in steps
            ):
                return plan
        return None

    def holds(self, workflow_id: str, run_id: str) -> bool:
        """Return whether the scenario has this run, whenever it starts."""
        return run_id in self._runs.get(workflow_id, {})

    def started(self, workflow_id: str, began_ms: int, now_ms: int) -> Iterator[tuple[str, int]]:
        """Yield run id and start (ms since 1970) of each run that has started by a time."""
        for run in self._runs.get(workflow_id, {}).values():
            moment = began_ms + run.offset_ms
            if _EARLIEST_MS <= moment <= min(now_ms, _LATEST_MS):
                yield run.run_id, moment

    def plan(self, workflow_id: str, run_id: str, began_ms: int, now_ms: int) -> "RunPlan | None":
        """Return the plan of a run that has started by a time, else None."""
        run = self._runs.get(workflow_id, {}).get(run_id)
        if run is None:
            return None
        moment = began_ms + run.offset_ms
        if not _EARLIEST_MS <= moment <= min(now_ms, _LATEST_MS):
            return None
        return self._plan(workflow_id, run_id, moment)

    def _made(self, workflow_id: str, run_id: str, started_at: int) -> "RunPlan":
        blueprint = self._blueprints.get(workflow_id)
        if blueprint is None:
            blueprint = fixtures.compile_workflow(self._workflows[workflow_id])
            self._blueprints[workflow_id] = blueprint
        run = self._runs[workflow_id][run_id]
        return planned(self._seed, blueprint, run, started_at)


def scripted_runs(seed: int, number: int, entry: JsonObject) -> Iterator[ScriptedRun]:
    """Yield the runs of the number-th entry; without `run_id`, ids are derived from the seed."""
    workflow_id, times = entry["workflow_id"], entry.get("times", 1)
    for place in range(times):
        if "run_id" in entry:
            run_id = entry["run_id"] if times == 1 else f"{entry['run_id']}_{place + 1}"
        else:
            text = f"scenario {seed} {workflow_id} {number} {place}"
            run_id = "run_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        offset_s = entry["at_s"] + place * entry.get("every_s", 0)
        yield ScriptedRun(workflow_id, run_id, round(offset_s * 1000), entry)


def planned(seed: int, blueprint: "Blueprint", run: ScriptedRun, started_at: int) -> "RunPlan":
    """Return the plan of a scripted run that starts at a time (ms since 1970).

    Raises:
        ValueError: if the workflow cannot run as the entry describes.
    """
    entry, steps = run.entry, run.entry.get("steps")
    status = entry.get("status", "failed" if "fails_at" in entry else "completed")
    for variant in range(_VARIANTS if "fails_at" in entry else 1):
        plan = fixtures.plan_run(
            f"{seed} {variant}",
            blueprint,
            run.run_id,
            started_at,
            status={status: 1.0},
            steps=(steps, steps) if steps is not None else None,
            overrides=entry.get("overrides"),
            action_mocks=entry.get("action_mocks"),
        )
        if "fails_at" not in entry or entry["fails_at"] in _failed(plan):
            return (
                fixtures.stretched(plan, entry["duration_ms"]) if "duration_ms" in entry else plan
            )
    raise ValueError(f"no run of workflow {run.workflow_id} fails at step {entry['fails_at']!r}.")


def _failed(plan: "RunPlan") -> list[str]:
    return [step.document["step_id"] for step in plan.steps if step.document["status"] == "failed"]
