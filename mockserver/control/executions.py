"""Executions of a session: put, patched and deleted."""

from flask import request

from contracts import JsonObject

from .documents import change_execution
from .steering import Steering, read_object, require_known


def change_run(steering: Steering, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Put, patch or delete an execution."""
    scene = steering.scene
    require_known(id, scene.family.workflows, "workflow")
    body = {} if request.method == "DELETE" else read_object()
    is_forced = request.args.get("force") == "true"
    execution = change_execution(
        scene.find(id, run_id), id, run_id, request.method, body, is_forced=is_forced
    )
    steering.change("put", {"workflow_id": id, "run_id": run_id, "execution": execution})
    return execution if execution is not None else {"deleted": run_id}
