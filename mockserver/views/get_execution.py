"""Execution Detail: one run, complete."""

from collections.abc import Mapping

from flask import Response

from contracts import JsonObject
from mockserver.errors import ApiError, shorten
from mockserver.executions import envelope_bytes
from mockserver.nearest import nearest_ids
from mockserver.service import Service

from .answers import naming, unknown_workflow


def get_execution(service: Service, path: Mapping[str, str]) -> Response:
    """Answer with the run, or with a 404 that names the nearest known ids."""
    body = service.executions.answer(path["id"], path["runId"])
    if body is None:
        body = envelope_bytes(find_execution(service, path["id"], path["runId"]))
    return Response(body, mimetype="application/json")


def find_execution(service: Service, workflow_id: str, run_id: str) -> JsonObject:
    """Give a run, loaded or started, as it stands now.

    Raises:
        ApiError: NOT_FOUND if that workflow has no such run.
    """
    found = service.executions.execution(workflow_id, run_id)
    if found is None:
        now = service.clock.now()
        found = service.family.started_execution(workflow_id, run_id, now)
    if found is None:
        raise _not_found(service, workflow_id, run_id)
    return found


def _not_found(service: Service, workflow_id: str, run_id: str) -> ApiError:
    executions = service.executions
    if not executions.has_workflow(workflow_id):
        return unknown_workflow(service, workflow_id)
    workflow, run = (shorten(service.redactor(text)) for text in (workflow_id, run_id))
    near = nearest_ids(run_id, executions.run_ids(workflow_id))
    suggestion = naming("Nearest runs of this workflow", near)
    owner = executions.workflow_of(run_id)
    if owner is not None:
        suggestion = f"The run belongs to workflow {owner}. {suggestion}"
    return ApiError("NOT_FOUND", f"Workflow '{workflow}' has no run '{run}'", suggestion)
