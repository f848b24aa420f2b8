"""The runs of scenarios that `Prefer: example` can name, each shown in its final state."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from deadringer import fixtures
from deadringer.contracts import JsonObject
from deadringer.mockserver.state.clock import milliseconds_of

from . import Scenario, ScriptedRun, nameable, planned, runs_by_name

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

_HOUR_MS = 3_600_000


def scripted_names(current: Scenario | None, seed: int) -> list[str]:
    """Return the names: `SCENARIO` for its typical run, `SCENARIO/RUN` for each named run."""
    return [name for name, _scenario, _entry in _scripted(current, seed)]


def scripted_example(
    name: str, current: Scenario | None, seed: int, run_id: str, now: datetime
) -> JsonObject:
    """Return the run of a name, ended by the last full hour; a run without end began before it."""
    scenario, entry = next(found[1:] for found in _scripted(current, seed) if found[0] == name)
    workflows = {one["id"]: one for one in scenario.workflows(seed)}
    blueprint = fixtures.compile_workflow(workflows[entry["workflow_id"]])
    run = ScriptedRun(entry["workflow_id"], run_id, 0, entry)
    hour = now.replace(minute=0, second=0, microsecond=0)

    def begun(before_ms: int) -> "RunPlan":
        moment = hour - timedelta(milliseconds=before_ms) if hour.year > 1 else hour
        return planned(seed, blueprint, run, milliseconds_of(moment))

    plan = begun(_HOUR_MS)
    length_ms = plan.ended_at - plan.started_at
    if _HOUR_MS < length_ms < fixtures.FOREVER // 2:
        plan = begun(length_ms)
    execution: JsonObject = fixtures.view_run(plan)
    return execution


def _scripted(current: Scenario | None, seed: int) -> Iterator[tuple[str, Scenario, JsonObject]]:
    for scenario in nameable(current, seed).values():
        runs = runs_by_name(scenario)
        named = {f"{scenario.name}/{run_name}": entry for run_name, entry in runs.items()}
        typical = {scenario.name: _typical(list(runs.values()))} if runs else {}
        for name, entry in {**typical, **named}.items():
            if name.isascii() and name.isprintable():  # a header can hold it
                yield name, scenario, entry


def _typical(entries: list[JsonObject]) -> JsonObject:
    """Return the typical run of a scenario: the first that fails, else the first."""
    failing = (one for one in entries if "fails_at" in one or one.get("status") == "failed")
    return next(failing, entries[0])
