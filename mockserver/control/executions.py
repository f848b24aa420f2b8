"""Executions of a session: put, patched and deleted."""

from contracts import JsonObject

from .documents import change_execution
from .steering import Steering, require_known


def put_execution(steering: Steering, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Serve a document as this run."""
    return _changed(steering, id, run_id, "PUT")


def patch_execution(steering: Steering, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Change parts of the run as it stands."""
    return _changed(steering, id, run_id, "PATCH")


def delete_execution(steering: Steering, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Serve the run no more."""
    return _changed(steering, id, run_id, "DELETE")


def _changed(steering: Steering, workflow_id: str, run_id: str, method: str) -> JsonObject:
    scene = steering.scene
    require_known(workflow_id, scene.family.workflows, "workflow")
    found = scene.find(workflow_id, run_id)
    is_forced = steering.query.get("force") == "true"
    execution = change_execution(
        found, workflow_id, run_id, method, steering.body, is_forced=is_forced
    )
    body = {"workflow_id": workflow_id, "run_id": run_id, "execution": execution}
    steering.change("put", body)
    return execution if execution is not None else {"deleted": run_id}
