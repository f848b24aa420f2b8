"""Execution Detail: one run, complete."""

from collections.abc import Mapping

from flask import Response

from mockserver.errors import ApiError, shorten
from mockserver.executions import ExecutionSource
from mockserver.nearest import nearest_ids
from mockserver.service import Service


def get_execution(service: Service, path: Mapping[str, str]) -> Response:
    """Answer with the run, or with a 404 that names the nearest known ids."""
    executions = service.executions
    body = executions.answer(path["id"], path["runId"])
    if body is None:
        raise _not_found(executions, path["id"], path["runId"], service)
    return Response(body, mimetype="application/json")


def _not_found(
    executions: ExecutionSource, workflow_id: str, run_id: str, service: Service
) -> ApiError:
    workflow, run = (shorten(service.redactor(text)) for text in (workflow_id, run_id))
    if not executions.has_workflow(workflow_id):
        near = nearest_ids(workflow_id, executions.workflow_ids())
        return ApiError(
            "NOT_FOUND", f"There is no workflow '{workflow}'", _naming("Nearest workflows", near)
        )
    near = nearest_ids(run_id, executions.run_ids(workflow_id))
    suggestion = _naming("Nearest runs of this workflow", near)
    owner = executions.workflow_of(run_id)
    if owner is not None:
        suggestion = f"The run belongs to workflow {owner}. {suggestion}"
    return ApiError("NOT_FOUND", f"Workflow '{workflow}' has no run '{run}'", suggestion)


def _naming(what: str, ids: list[str]) -> str:
    return f"{what}: {', '.join(ids)}" if ids else f"{what}: none"
