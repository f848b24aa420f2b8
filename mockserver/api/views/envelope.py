"""Shared by the views: the envelope of successful responses, and the 404 of a workflow."""

from flask import Response

from deadringer.contracts import Json, json_bytes, nearest_names
from deadringer.mockserver.errors import ApiError, shorten
from deadringer.mockserver.world.service import Service, Snapshot


def good(message: str, data: Json) -> Response:
    """Return a 200 with the documented envelope."""
    body = json_bytes({"success": True, "message": message, "data": data})
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
