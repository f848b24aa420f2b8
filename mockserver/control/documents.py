"""Changes one execution of a session, judged by the contract before it is served."""

from contracts import Json, JsonObject
from contracts.rules import judge_execution
from mockserver.errors import ApiError
from mockserver.family import Found


def change_execution(
    found: Found | None,
    workflow_id: str,
    run_id: str,
    method: str,
    body: JsonObject,
    *,
    is_forced: bool,
) -> JsonObject | None:
    """Give the execution as it is to be served, None if it is to be gone.

    PATCH is a JSON merge patch (RFC 7396) of the execution as it stands. Its ids are those it is
    found under, whatever the body says.

    Raises:
        ApiError: NOT_FOUND if there is nothing to patch or delete, VALIDATION_ERROR (status 400)
            with every broken promise unless it is forced.
    """
    if method != "PUT" and found is None:
        raise ApiError("NOT_FOUND", "There is no such execution", "Put one")
    if method == "DELETE":
        return None
    wanted = merged(found.execution, body) if method == "PATCH" and found else body
    assert isinstance(wanted, dict)
    wanted = {**wanted, "workflow_id": workflow_id, "run_id": run_id}
    if not is_forced:
        _require_promises(wanted)
    return wanted


def merged(target: Json, patch: Json) -> Json:
    """Give the target with a JSON merge patch (RFC 7396) in it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _require_promises(execution: JsonObject) -> None:
    broken = [f"{one.pointer or '/'}: {one.message}" for one in judge_execution(execution)]
    if broken:
        raise ApiError(
            "VALIDATION_ERROR",
            f"The execution breaks {len(broken)} promise(s)",
            "Mend it, or add ?force=true to serve it on purpose",
            details={"errors": broken},
        )
