"""Live runs: started on command, and moved by hand."""

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.executions import NamedRun
from mockserver.starting_runs import start_run

from .steering import Steering, require_known


def start_live_run(steering: Steering, id: str) -> tuple[JsonObject, int]:  # noqa: A002 - named by the path
    """Start a live run."""
    scene = steering.scene
    require_known(id, scene.family.workflows, "workflow")
    run = start_run(steering.service, scene, id, steering.body, may_overdraw=True)
    named = NamedRun("", "", run.plan.status, id, run.plan.run_id)
    ids = {"workflow_id": id, "run_id": run.plan.run_id}
    return {**ids, "path": named.path, "drive": run.drive}, 201


def advance_run(steering: Steering, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Move a run that is driven by hand."""
    run = steering.session.started.get(run_id)
    if run is None or run.plan.workflow_id != id or run.drive not in {"manual", "read"}:
        raise ApiError(
            "NOT_FOUND",
            "There is no such run that is driven by hand",
            'Start one with {"drive": "manual"}',
        )
    count = steering.body.get("transitions", 1)
    steering.change("moved", {"run_id": run_id, "transitions": count})
    found = steering.scene.find(id, run_id)
    if found is None:
        raise ApiError("NOT_FOUND", "The run is gone", "The session was reset; start another")
    return found.execution
