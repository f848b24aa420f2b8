"""Executions of a session: put, patch and delete them."""

from deadringer.contracts import Json, JsonObject
from deadringer.contracts.rules import validate_execution
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.repository import FoundRun

from .context import ControlContext, require_known


def change_execution(
    found: FoundRun | None,
    workflow_id: str,
    run_id: str,
    method: str,
    body: JsonObject,
    *,
    is_forced: bool,
) -> JsonObject | None:
    """Return the execution to serve, None to delete it.

    PATCH is a JSON merge patch (RFC 7396) of the current execution. The ids are those of the path,
    whatever the body contains.

    Raises:
        ApiError: NOT_FOUND if there is no execution to patch or delete, VALIDATION_ERROR (400)
            with every violation unless it is forced.
    """
    if method != "PUT" and found is None:
        raise ApiError("NOT_FOUND", "There is no such execution", "Put one")
    if method == "DELETE":
        return None
    wanted = merged(found.execution, body) if method == "PATCH" and found else body
    assert isinstance(wanted, dict)
    wanted = {**wanted, "workflow_id": workflow_id, "run_id": run_id}
    if not is_forced:
        _require_no_violations(wanted)
    return wanted


def merged(target: Json, patch: Json) -> Json:
    """Return the target with a JSON merge patch (RFC 7396) applied."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _require_no_violations(execution: JsonObject) -> None:
    violations = [f"{one.pointer or '/'}: {one.message}" for one in validate_execution(execution)]
    if violations:
        raise ApiError(
            "VALIDATION_ERROR",
            f"The execution has {len(violations)} violation(s) of the contract",
            "Correct it, or add ?force=true to serve it anyway",
            details={"errors": violations},
        )


def put_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Serve a document as this run."""
    return _changed(control, id, run_id, "PUT")


def patch_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Change members of the run."""
    return _changed(control, id, run_id, "PATCH")


def delete_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Delete the run: reading it returns 404."""
    return _changed(control, id, run_id, "DELETE")


def _changed(control: ControlContext, workflow_id: str, run_id: str, method: str) -> JsonObject:
    snapshot = control.snapshot
    require_known(workflow_id, snapshot.repository.workflows, "workflow")
    found = snapshot.find(workflow_id, run_id)
    is_forced = control.query.get("force") == "true"
    execution = change_execution(
        found, workflow_id, run_id, method, control.body, is_forced=is_forced
    )
    body = {"workflow_id": workflow_id, "run_id": run_id, "execution": execution}
    control.change("put", body)
    return execution if execution is not None else {"deleted": run_id}
