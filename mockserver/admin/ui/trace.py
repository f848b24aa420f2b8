"""The page of one run: `/__mock/ui/runs/WORKFLOW/RUN`."""

import shlex

from flask import Flask, Response, request

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.contracts.rules import validate_execution
from deadringer.contracts.trace_view import island, json_text, violations_json
from deadringer.mockserver.api.prefer import Preferences
from deadringer.mockserver.api.preferred_execution import wished_execution
from deadringer.mockserver.config import DEMO_KEY
from deadringer.mockserver.world.documents import NamedRun
from deadringer.mockserver.world.repository import Found
from deadringer.mockserver.world.reserved_ids import magic_preferences
from deadringer.mockserver.world.service import Scene, Service

from .reserved_ids import reserved_note
from .served_runs import served_run
from .shell import UI, session_of_page, show_page, show_problem, ui_url
from .taken_ids import told_of_taken_id


def add_trace(app: Flask, service: Service) -> None:
    """Add the page, and the document it shows, which a page asks for while a run goes on."""
    path = f"{UI}runs/<workflow_id>/<run_id>"
    app.add_url_rule(path, "ui trace", lambda **ids: _show_trace(service, **ids))
    app.add_url_rule(f"{path}/data", "ui trace data", lambda **ids: _give_data(service, **ids))


def _show_trace(service: Service, workflow_id: str, run_id: str) -> Response:
    scene = service.scene(session_of_page(), workflow_id)
    found = _found(service, scene, workflow_id, run_id)
    if found is None:
        return show_problem(
            "There is no such run",
            f"Workflow {workflow_id!r} has no run {run_id!r} in this session, at this time.",
        )
    document = _document(service, scene, found)
    workflow = scene.family.workflows.get(workflow_id)
    return show_page(
        "trace.html",
        "ui runs",
        island=island(document),
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_name=workflow["name"] if workflow else workflow_id,
    )


def _found(service: Service, scene: Scene, workflow_id: str, run_id: str) -> Found | None:
    """Give the run as the API has it: a reserved id goes before all others."""
    if workflow_id not in scene.family.workflows:
        return None
    wishes = Preferences(magic_preferences("getExecution", "", run_id))
    reserved = wished_execution(service, scene, workflow_id, run_id, wishes)
    return reserved or scene.find(workflow_id, run_id)


def _give_data(service: Service, workflow_id: str, run_id: str) -> Response:
    scene = service.scene(session_of_page(), workflow_id)
    found = _found(service, scene, workflow_id, run_id)
    if found is None:
        return Response("null", 404, mimetype="application/json")
    body = json_text(_document(service, scene, found))
    return Response(body, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _document(service: Service, scene: Scene, found: Found) -> JsonObject:
    run = found.execution
    workflow_id, run_id = str(run["workflow_id"]), str(run["run_id"])
    shown = served_run(service, scene.session.name, run)
    return {
        "execution": shown.execution,
        "note": " ".join(filter(None, (reserved_note(scene, workflow_id, run_id), shown.note))),
        "taken": told_of_taken_id(service, scene, found),
        "violations": violations_json(validate_execution(shown.execution)),
        "workflow": scene.family.workflows.get(workflow_id),
        "now": format_timestamp(scene.now),
        "links": {
            "data": ui_url("ui trace data", workflow_id=workflow_id, run_id=run_id),
            "curl": _curl(service, scene, workflow_id, run_id),
        },
    }


def _curl(service: Service, scene: Scene, workflow_id: str, run_id: str) -> str:
    key = DEMO_KEY if DEMO_KEY in service.settings.api_keys else "YOUR_KEY"
    headers = [f"x-api-key: {key}"]
    if scene.session.name:
        headers.append(f"X-Mock-Session: {scene.session.name}")
    path = NamedRun("", "", "", workflow_id, run_id).path
    url = request.host_url.rstrip("/") + path
    sent = " ".join(f"-H {shlex.quote(header)}" for header in headers)
    return f"curl {sent} {shlex.quote(url)}"
