"""Warnings for runs saved as files: conflicts of their ids with existing runs."""

from pathlib import PurePath

from deadringer.mockserver.world.repository import FoundRun
from deadringer.mockserver.world.reserved_ids import RESERVED_RUNS
from deadringer.mockserver.world.service import Service, Snapshot


def id_conflict(service: Service, snapshot: Snapshot, found: FoundRun) -> str:
    """Return a sentence on what a saved run would conflict with or replace, "" for nothing."""
    run_id = str(found.execution["run_id"])
    if run_id in RESERVED_RUNS:
        return (
            f"The run id {run_id} is reserved: a mock never serves a file under it. "
            f"Save the run under another id to see it."
        )
    origin = service.executions.origin_of(run_id)
    if origin is not None:
        file = PurePath(origin).name
        whose = "deadringer's own" if service.executions.name_of(run_id) else "the served"
        return (
            f"The run id {run_id} is used by {whose} file {file}. A mock that finds it in another "
            f"file does not start: overwrite that file, or save the run under another id."
        )
    if snapshot.is_reserved:
        return (
            f"The workflow id {found.execution['workflow_id']} is reserved. A mock that loads the "
            f"file serves a workflow with only this run, in place of the reserved one."
        )
    if _is_of_the_scenario(snapshot, found):
        return (
            f"The run id {run_id} is used by the scenario, whose runs precede those of files. "
            f"Save the run under another id to see both."
        )
    if found.kind == "changed" and _is_of_the_world(snapshot, found):
        return (
            f"The run id {run_id} is used by a generated run that differs from this one. A "
            f"mock with the file serves it in place of that one: save it under another id for both."
        )
    return ""


def _is_of_the_scenario(snapshot: Snapshot, found: FoundRun) -> bool:
    scenario, script = snapshot.session.scenario, snapshot.repository.script
    ids = str(found.execution["workflow_id"]), str(found.execution["run_id"])
    whole = scenario.document.get("executions", ()) if scenario is not None else ()
    is_whole = ids in {(one.get("workflow_id"), one.get("run_id")) for one in whole}
    return is_whole or (script is not None and script.holds(*ids))


def _is_of_the_world(snapshot: Snapshot, found: FoundRun) -> bool:
    workflow_id, run_id = str(found.execution["workflow_id"]), str(found.execution["run_id"])
    world = snapshot.repository.world
    if world is None or workflow_id not in world.workflows:
        return False
    return world.number_of(workflow_id, run_id, snapshot.now_ms) is not None
