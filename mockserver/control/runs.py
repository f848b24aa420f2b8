"""Live runs: started on command, and moved by hand."""

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.executions import NamedRun
from mockserver.sessions import DRIVES
from mockserver.starting_runs import start_run

from .steering import Steering, read_object, refused, require_known

_WANTED = ("status", "steps", "overrides", "action_mocks", "drive")


def start_live_run(steering: Steering, id: str) -> tuple[JsonObject, int]:  # noqa: A002 - named by the path
    """Start a live run."""
    scene = steering.scene
    require_known(id, scene.family.workflows, "workflow")
    body = read_object()
    _require_possible(body)
    run = start_run(steering.service, scene, id, {name: body.get(name) for name in _WANTED})
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
    count = read_object().get("transitions", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10**6:
        raise refused("transitions", "is not from 1 to 1000000", "Send a whole number")
    steering.change("moved", {"run_id": run_id, "transitions": count})
    found = steering.scene.find(id, run_id)
    return found.execution if found else {}


def _require_possible(body: JsonObject) -> None:
    for name, allowed in (("status", ("completed", "failed", "running")), ("drive", DRIVES)):
        if body.get(name) not in (None, *allowed):
            raise refused(name, "is unknown", f"Use one of {', '.join(allowed)}")
    for name in ("overrides", "action_mocks"):
        if not isinstance(body.get(name, {}), dict):
            raise refused(name, "is not an object", "Send an object, or leave it out")
    steps = body.get("steps")
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int)):
        raise refused("steps", "is not a whole number", "Send a number, or leave it out")
