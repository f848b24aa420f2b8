"""Descriptions of the reserved ids, which no list of the API contains."""

from collections.abc import Mapping
from typing import NamedTuple

from deadringer.mockserver.world.reserved_ids import (
    RESERVED_RUNS,
    RESERVED_WORKFLOWS,
    ReservedWorkflow,
    reserved_preferences,
)
from deadringer.mockserver.world.service import Snapshot


class ReservedId(NamedTuple):
    """A reserved id, and what it shows."""

    id: str
    story: str


def reserved_workflows(snapshot: Snapshot) -> list[ReservedId]:
    """Return the reserved workflows, without those that a served workflow replaces."""
    served = () if snapshot.is_reserved else snapshot.repository.workflows
    return [
        ReservedId(name, _of_workflow(workflow))
        for name, workflow in RESERVED_WORKFLOWS.items()
        if name not in served
    ]


def reserved_runs() -> list[ReservedId]:
    """Return the reserved runs, which exist under every known workflow."""
    return [
        ReservedId(name, _of_response(preferences) or _of_run(preferences))
        for name, preferences in RESERVED_RUNS.items()
    ]


def reserved_remark(snapshot: Snapshot, workflow_id: str, run_id: str = "") -> str:
    """Return what the API returns for these ids, "" if they are not reserved."""
    named = workflow_id if snapshot.is_reserved else ""
    message = _of_response(reserved_preferences("getExecution", named, run_id))
    if not message:
        return "A reserved id: no list of the API contains it." if run_id in RESERVED_RUNS else ""
    return f"A reserved id. {message}; this is the run behind it."


def _of_response(preferences: Mapping[str, str]) -> str:
    if "code" in preferences:
        return f"The API returns {preferences['code']}"
    if "fault" in preferences:
        return f"The API responds with the fault {preferences['fault']}"
    if "delay" in preferences:
        return f"The API responds after {int(preferences['delay']) / 1000:g} s"
    return ""


def _of_workflow(workflow: ReservedWorkflow) -> str:
    message = _of_response(workflow.preferences)
    if message:
        return message
    if workflow.ending:
        return f"Every run is {workflow.ending}; test runs end so too"
    count = sum(entry.get("times", 1) for entry in workflow.runs)
    return f"It has {count:,} runs" if count else "It has no runs"


def _of_run(preferences: Mapping[str, str]) -> str:
    if "example" in preferences:
        return f"The recorded run {preferences['example'].replace('_', ' ')}"
    if "steps" in preferences:
        return f"A run of {preferences['steps']} steps"
    return f"A run that is {preferences['status']}"
