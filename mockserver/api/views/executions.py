"""Execution Detail, List Executions and Execution Variables."""

from collections.abc import Mapping

from flask import Response, request

from deadringer.contracts import JsonObject, nearest_names
from deadringer.mockserver.api.http import mark_final
from deadringer.mockserver.api.preferred_execution import preferred_execution
from deadringer.mockserver.api.validation import read_query
from deadringer.mockserver.context import RequestContext
from deadringer.mockserver.errors import ApiError, shorten
from deadringer.mockserver.world.documents import envelope_bytes
from deadringer.mockserver.world.repository import FoundRun
from deadringer.mockserver.world.service import Service, Snapshot

from .envelope import good, listed, unknown_workflow


def get_execution(service: Service, context: RequestContext, path: Mapping[str, str]) -> Response:
    """Return the run, or a 404 with the nearest known ids."""
    snapshot, workflow_id, run_id = context.snapshot, path["id"], path["runId"]
    preferred = preferred_execution(service, snapshot, workflow_id, run_id, context.preferences)
    found = preferred or find_execution(service, snapshot, workflow_id, run_id)
    # A scenario may have a run with the ids of a loaded one.
    is_loaded = found.execution is service.executions.execution(workflow_id, run_id)
    name = service.executions.name_of(run_id) if is_loaded else None
    context.matched = {"kind": found.kind, "name": name}
    body = service.executions.detail_body(workflow_id, run_id) if is_loaded else None
    started = snapshot.session.started.get(run_id)
    is_moved = found.kind == "started" and started and started.drive == "read"
    if is_moved and not found.is_terminal and not context.is_reading_only:
        # This read shows the current state; the next one shows the next transition.
        service.change(snapshot.session.name, "moved", {"run_id": run_id, "transitions": 1})
    response = Response(body or envelope_bytes(found.execution), mimetype="application/json")
    if found.is_terminal and preferred is None:
        mark_final(response)
    return response


def find_execution(service: Service, snapshot: Snapshot, workflow_id: str, run_id: str) -> FoundRun:
    """Return a run as it is now.

    Raises:
        ApiError: NOT_FOUND if that workflow has no such run.
    """
    found = snapshot.find(workflow_id, run_id)
    if found is None:
        raise _not_found(service, snapshot, workflow_id, run_id)
    return found


def _not_found(service: Service, snapshot: Snapshot, workflow_id: str, run_id: str) -> ApiError:
    repository = snapshot.repository
    if workflow_id not in repository.workflows:
        return unknown_workflow(service, snapshot, workflow_id)
    workflow, run = (shorten(service.redactor(text)) for text in (workflow_id, run_id))
    near = nearest_names(
        run_id, repository.newest_run_ids(snapshot.session, workflow_id, snapshot.now_ms)
    )
    suggestion = listed("Nearest runs of this workflow", near)
    owner = repository.owner_of(snapshot.session, run_id, snapshot.now_ms)
    if owner is not None:
        suggestion = f"The run belongs to workflow {owner}. {suggestion}"
    return ApiError("NOT_FOUND", f"Workflow '{workflow}' has no run '{run}'", suggestion)


def list_executions(service: Service, context: RequestContext, path: Mapping[str, str]) -> Response:
    """Return a page of runs; a page beyond the end is empty."""
    query = read_query(service.operation("listExecutions"), request.args)
    snapshot = context.snapshot
    if path["id"] not in snapshot.repository.workflows:
        raise unknown_workflow(service, snapshot, path["id"])
    page, size = query["page"], query["page_size"]
    rows, total = snapshot.rows(path["id"], (page - 1) * size, size)
    data = {
        "executions": rows,
        "pagination": {
            "page": page,
            "page_size": size,
            "total_count": total,
            "total_pages": -(-total // size),
        },
    }
    return good("Executions retrieved successfully", data)


def get_variables(service: Service, context: RequestContext, path: Mapping[str, str]) -> Response:
    """Return input and output of each step; for a loop, those of the last iteration.

    The run is the one Execution Detail returns for the same ids and preferences.
    """
    snapshot, workflow_id, run_id = context.snapshot, path["id"], path["runId"]
    preferred = preferred_execution(service, snapshot, workflow_id, run_id, context.preferences)
    found = preferred or find_execution(service, snapshot, workflow_id, run_id)
    execution = found.execution
    steps = {
        str(step["step_id"]): {name: step[name] for name in ("input", "output") if name in step}
        for step in _steps_of(execution)
    }
    data = {
        "run_id": execution["run_id"],
        "status": execution.get("status"),
        "halted_at": None,
        "steps": steps,
    }
    return good("Execution variables retrieved successfully", data, exact=True)


def _steps_of(execution: JsonObject) -> list[JsonObject]:
    """Return the steps that have an id; a forced document may contain anything."""
    steps = execution.get("steps")
    listed = steps if isinstance(steps, list) else []
    return [step for step in listed if isinstance(step, dict) and "step_id" in step]
