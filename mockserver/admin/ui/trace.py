"""The page of one run: `/__mock/ui/runs/WORKFLOW/RUN`."""

import shlex

from flask import Flask, Response, request

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.contracts.rules import validate_execution
from deadringer.contracts.trace_view import island, json_text, violations_json
from deadringer.mockserver.api.in_process import InProcessApi
from deadringer.mockserver.api.preferred_execution import preferred_execution
from deadringer.mockserver.config import DEMO_KEY
from deadringer.mockserver.context import Preferences
from deadringer.mockserver.world.documents import NamedRun
from deadringer.mockserver.world.repository import FoundRun
from deadringer.mockserver.world.reserved_ids import reserved_preferences
from deadringer.mockserver.world.service import Service, Snapshot

from .api_view import api_run
from .id_conflicts import id_conflict
from .reserved_ids import reserved_remark
from .shell import UI, session_of_page, show_page, show_problem, ui_url


def add_trace(app: Flask, service: Service, api: InProcessApi) -> None:
    """Add the page, and its document, which the page fetches while a run goes on."""
    path = f"{UI}runs/<workflow_id>/<run_id>"
    app.add_url_rule(path, "ui trace", lambda **ids: _show_trace(service, api, **ids))
    app.add_url_rule(f"{path}/data", "ui trace data", lambda **ids: _show_data(service, api, **ids))


def _show_trace(service: Service, api: InProcessApi, workflow_id: str, run_id: str) -> Response:
    snapshot = service.snapshot(session_of_page(), workflow_id)
    found = _found(service, snapshot, workflow_id, run_id)
    if found is None:
        return show_problem(
            "There is no such run",
            f"Workflow {workflow_id!r} has no run {run_id!r} in this session, at this time.",
        )
    document = _document(service, api, snapshot, found)
    workflow = snapshot.repository.workflows.get(workflow_id)
    name = workflow["name"] if workflow else workflow_id
    return show_run(document, workflow_id, run_id, name)


def show_run(document: JsonObject, workflow_id: str, run_id: str, workflow_name: str) -> Response:
    """Return the page of a run; `document` is what its script draws."""
    return show_page(
        "trace.html",
        "ui runs",
        island=island(document),
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_name=workflow_name,
    )


def show_run_data(document: JsonObject | None) -> Response:
    """Return the document of a run for the script of its page, which fetches it again."""
    if document is None:
        return Response("null", 404, mimetype="application/json")
    headers = {"Cache-Control": "no-store"}
    return Response(json_text(document), mimetype="application/json", headers=headers)


def _found(service: Service, snapshot: Snapshot, workflow_id: str, run_id: str) -> FoundRun | None:
    """Return the run of the API, None if there is none; reserved ids precede all others."""
    if workflow_id not in snapshot.repository.workflows:
        return None
    preferences = Preferences(reserved_preferences("getExecution", "", run_id))
    reserved = preferred_execution(service, snapshot, workflow_id, run_id, preferences)
    return reserved or snapshot.find(workflow_id, run_id)


def _show_data(service: Service, api: InProcessApi, workflow_id: str, run_id: str) -> Response:
    snapshot = service.snapshot(session_of_page(), workflow_id)
    found = _found(service, snapshot, workflow_id, run_id)
    return show_run_data(_document(service, api, snapshot, found) if found else None)


def _document(
    service: Service, api: InProcessApi, snapshot: Snapshot, found: FoundRun
) -> JsonObject:
    run = found.execution
    workflow_id, run_id = str(run["workflow_id"]), str(run["run_id"])
    shown = api_run(api, snapshot, run)
    remarks = (reserved_remark(snapshot, workflow_id, run_id), shown.remark)
    return {
        "execution": shown.execution,
        "note": " ".join(filter(None, remarks)),
        "taken": id_conflict(service, snapshot, found),
        "violations": violations_json(validate_execution(shown.execution)),
        "workflow": snapshot.repository.workflows.get(workflow_id),
        "now": format_timestamp(snapshot.now),
        "links": {
            "data": ui_url("ui trace data", workflow_id=workflow_id, run_id=run_id),
            "curl": _curl(service, snapshot, workflow_id, run_id),
        },
    }


def _curl(service: Service, snapshot: Snapshot, workflow_id: str, run_id: str) -> str:
    key = DEMO_KEY if DEMO_KEY in service.settings.api_keys else "YOUR_KEY"
    headers = [f"x-api-key: {key}"]
    if snapshot.session.name:
        headers.append(f"X-Mock-Session: {snapshot.session.name}")
    path = NamedRun("", "", "", workflow_id, run_id).path
    url = request.host_url.rstrip("/") + path
    sent = " ".join(f"-H {shlex.quote(header)}" for header in headers)
    return f"curl {sent} {shlex.quote(url)}"
