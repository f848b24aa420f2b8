"""The state of a started run: by the clock, or by the transitions it was advanced."""

from typing import TYPE_CHECKING

from deadringer import fixtures
from deadringer.contracts import JsonObject

from .sessions import StartedRun

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

_NEVER_MS = 253_402_300_799_999  # beyond the last time that can be written


def transitions_of(plan: "RunPlan") -> list[int]:
    """Return the times (ms since 1970) at which the run visibly changes, in order."""
    moments = {plan.started_at, plan.ended_at}
    for step in plan.steps:
        moments |= {step.queued_at, step.started_at, step.ended_at}
    return sorted(moment for moment in moments if plan.started_at <= moment <= _NEVER_MS)


def moment_of(run: StartedRun, now_ms: int) -> int:
    """Return the time at which to show a run: now, or where its driver has advanced it."""
    if run.drive == "time":
        return now_ms
    moments = transitions_of(run.plan)
    if run.drive == "immediate":
        return moments[-1]
    return moments[min(run.transitions, len(moments) - 1)]


def started_execution(run: StartedRun, now_ms: int) -> JsonObject:
    """Return a started run as it is now; before its start it lists no step."""
    moment = max(moment_of(run, now_ms), run.started_at)
    execution: JsonObject = fixtures.view_run(run.plan, moment)
    return execution
