"""Shared by the views: the envelope of successful responses, and the 404 of a workflow."""

from flask import Response

from deadringer.contracts import Json, exact_json_bytes, json_bytes, nearest_names
from deadringer.mockserver.errors import ApiError, shorten
from deadringer.mockserver.world.service import Service, Snapshot


def good(message: str, data: Json, *, exact: bool = False) -> Response:
    """Return a 200 with the documented envelope; with `exact`, numbers keep a file's digits."""
    encode = exact_json_bytes if exact else json_bytes
    body = encode({"success": True, "message": message, "data": data})
    return Response(body, mimetype="application/json")


def listed(what: str, ids: list[str]) -> str:
    """Return a sentence that lists ids, `none` if there are none."""
    return f"{what}: {', '.join(ids)}" if ids else f"{what}: none"


def unknown_workflow(service: Service, snapshot: Snapshot, workflow_id: str) -> ApiError:
    """Return the 404 of a workflow, with the nearest known ids."""
    near = nearest_names(workflow_id, snapshot.repository.workflows)
    shown = shorten(service.redactor(workflow_id))
    return ApiError(
        "NOT_FOUND", f"There is no workflow '{shown}'", listed("Nearest workflows", near)
    )
