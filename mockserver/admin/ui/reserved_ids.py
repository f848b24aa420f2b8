"""The reserved ids as people read them: they stand in no list of the API."""

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
    """A reserved id, and what is there."""

    id: str
    story: str


def reserved_workflows(snapshot: Snapshot) -> list[ReservedId]:
    """Return the reserved workflows; one whose id is served has given way."""
    served = () if snapshot.is_reserved else snapshot.repository.workflows
    return [
        ReservedId(name, _of_workflow(workflow))
        for name, workflow in RESERVED_WORKFLOWS.items()
        if name not in served
    ]


def reserved_runs() -> list[ReservedId]:
    """Return the reserved runs, which are there under every known workflow."""
    return [
        ReservedId(name, _of_answer(preferences) or _of_run(preferences))
        for name, preferences in RESERVED_RUNS.items()
    ]


def reserved_note(snapshot: Snapshot, workflow_id: str, run_id: str = "") -> str:
    """Return what the API does under these ids, "" if they are not reserved or hide nothing."""
    named = workflow_id if snapshot.is_reserved else ""
    message = _of_answer(reserved_preferences("getExecution", named, run_id))
    if not message:
        return "A reserved id: no list of the API holds it." if run_id in RESERVED_RUNS else ""
    return f"A reserved id. {message}; here is what would be there."


def _of_answer(preferences: Mapping[str, str]) -> str:
    if "code" in preferences:
        return f"The API answers {preferences['code']}"
    if "fault" in preferences:
        return f"The API answers with the fault {preferences['fault']}"
    if "delay" in preferences:
        return f"The API answers after {int(preferences['delay']) / 1000:g} s"
    return ""


def _of_workflow(workflow: ReservedWorkflow) -> str:
    message = _of_answer(workflow.preferences)
    if message:
        return message
    if workflow.ending:
        return f"Every run is {workflow.ending}, and so is a test run in the end"
    count = sum(entry.get("times", 1) for entry in workflow.runs)
    return f"It has {count:,} runs" if count else "It has no runs"


def _of_run(preferences: Mapping[str, str]) -> str:
    if "example" in preferences:
        return f"The recorded run {preferences['example'].replace('_', ' ')}"
    if "steps" in preferences:
        return f"A run of {preferences['steps']} steps"
    return f"A run that is {preferences['status']}"
