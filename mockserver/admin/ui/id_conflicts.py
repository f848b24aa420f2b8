"""What a mock would make of a file with a run whose id is taken already."""

from pathlib import PurePath

from deadringer.mockserver.world.repository import FoundRun
from deadringer.mockserver.world.reserved_ids import RESERVED_RUNS
from deadringer.mockserver.world.service import Service, Snapshot


def told_of_taken_id(service: Service, snapshot: Snapshot, found: FoundRun) -> str:
    """Return what a saved run would collide with or replace; "" if nothing."""
    run_id = str(found.execution["run_id"])
    if run_id in RESERVED_RUNS:
        return (
            f"The run id {run_id} is reserved: a mock answers it by itself, whatever a file says. "
            f"Save the run under another id to see it."
        )
    origin = service.executions.origin_of(run_id)
    if origin is not None:
        file = PurePath(origin).name
        whose = "deadringer's own" if service.executions.name_of(run_id) else "the served"
        return (
            f"The run id {run_id} is taken by {whose} file {file}. A mock that finds it in another "
            f"file does not start: overwrite that file, or save the run under another id."
        )
    if snapshot.is_reserved:
        return (
            f"The workflow id {found.execution['workflow_id']} is reserved. A mock that finds the "
            f"file serves a workflow of that id with this run alone, in place of the reserved one."
        )
    if _is_of_the_scenario(snapshot, found):
        return (
            f"The run id {run_id} is taken by the scenario, whose run goes before that of a file. "
            f"Save the run under another id to see both."
        )
    if found.kind == "changed" and _is_of_the_world(snapshot, found):
        return (
            f"The run id {run_id} is taken by a run of the world that differs from this one. A "
            f"mock with the file serves it in that one's place: save it under another id for both."
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
