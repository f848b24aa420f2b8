"""The runs that a proxy has seen: their list, and the page of one, `/__mock/ui/runs/…`."""

import shlex
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, redirect, request

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.contracts.rules import validate_execution
from deadringer.contracts.trace_view import island, json_text, violations_json
from deadringer.mockserver.admin.control.context import SeenTraffic

from . import readable
from .shell import UI, show_page, show_problem, ui_url

_NOTE = "As the server behind the proxy last returned it."


def add_seen_runs(app: Flask, traffic: SeenTraffic) -> None:
    """Add the list and the page of a run, which fetches its document while the run goes on."""
    app.jinja_env.filters.update(duration=readable.duration, moment=readable.moment)
    path = f"{UI}runs/<workflow_id>/<run_id>"
    app.add_url_rule(UI, "ui", lambda: redirect(ui_url("ui runs")))
    app.add_url_rule(f"{UI}runs", "ui runs", lambda: _show_runs(traffic))
    app.add_url_rule(path, "ui trace", lambda **ids: _show_trace(traffic, **ids))
    app.add_url_rule(f"{path}/data", "ui trace data", lambda **ids: _show_data(traffic, **ids))


def _show_runs(traffic: SeenTraffic) -> Response:
    return show_page("seen_runs.html", "ui runs", runs=[_row(*one) for one in traffic.runs()])


def _row(workflow_id: str, run_id: str, execution: JsonObject) -> JsonObject:
    """Return what the list shows; the server may have returned anything."""
    texts = {name: execution.get(name) for name in ("status", "error", "started_at")}
    shown = {name: one if isinstance(one, str) else None for name, one in texts.items()}
    return {
        **shown,
        "workflow_id": workflow_id,
        "run_id": run_id,
        "duration": execution.get("duration_ms"),
        "violations": len(validate_execution(execution)),
    }


def _show_trace(traffic: SeenTraffic, workflow_id: str, run_id: str) -> Response:
    execution = traffic.execution(workflow_id, run_id)
    if execution is None:
        return show_problem(
            "This run was not seen",
            f"No client has read run {run_id!r} of workflow {workflow_id!r} lately.",
        )
    return show_page(
        "trace.html",
        "ui runs",
        island=island(_document(execution, workflow_id, run_id)),
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_name=workflow_id,
    )


def _show_data(traffic: SeenTraffic, workflow_id: str, run_id: str) -> Response:
    execution = traffic.execution(workflow_id, run_id)
    if execution is None:
        return Response("null", 404, mimetype="application/json")
    body = json_text(_document(execution, workflow_id, run_id))
    return Response(body, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _document(execution: JsonObject, workflow_id: str, run_id: str) -> JsonObject:
    ids = quote(workflow_id, safe=""), quote(run_id, safe="")
    url = f"{request.host_url}v1/workflows/{ids[0]}/executions/{ids[1]}"
    return {
        "execution": execution,
        "note": _NOTE,
        "violations": violations_json(validate_execution(execution)),
        "now": format_timestamp(datetime.now(UTC)),
        "links": {
            "data": ui_url("ui trace data", workflow_id=workflow_id, run_id=run_id),
            "curl": f"curl -H 'x-api-key: YOUR_KEY' {shlex.quote(url)}",
        },
    }
