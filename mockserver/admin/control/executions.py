"""Executions of a session: put, patched and deleted."""

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
    """Return the execution as it is to be served, None if it is to be gone.

    PATCH is a JSON merge patch (RFC 7396) of the execution as it stands. Its ids are those it is
    found under, whatever the body says.

    Raises:
        ApiError: NOT_FOUND if there is nothing to patch or delete, VALIDATION_ERROR (status 400)
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
    """Return the target with a JSON merge patch (RFC 7396) in it."""
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
    broken = [f"{one.pointer or '/'}: {one.message}" for one in validate_execution(execution)]
    if broken:
        raise ApiError(
            "VALIDATION_ERROR",
            f"The execution has {len(broken)} violation(s) of the contract",
            "Mend it, or add ?force=true to serve it on purpose",
            details={"errors": broken},
        )


def put_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Serve a document as this run."""
    return _changed(control, id, run_id, "PUT")


def patch_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Change parts of the run as it stands."""
    return _changed(control, id, run_id, "PATCH")


def delete_execution(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Serve the run no more."""
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
