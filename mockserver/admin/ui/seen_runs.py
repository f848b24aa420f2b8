"""The runs that a proxy has seen: their list, and the page of one, `/__mock/ui/runs/…`."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, redirect, request

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.trace_view import violations_json
from deadringer.mockserver.admin.control.context import SeenRun, SeenTraffic

from . import readable
from .shell import UI, show_page, show_problem, ui_url
from .trace import show_run, show_run_data

_DATA = "/data/"
_NOTE = "As the server behind the proxy last returned it."


def add_seen_runs(app: Flask, traffic: SeenTraffic, redactor: SecretRedactor) -> None:
    """Add the list and the page of a run, which fetches its document while the run goes on."""
    app.jinja_env.filters.update(duration=readable.duration, moment=readable.moment)
    path = f"{UI}runs/<workflow_id>/<run_id>"

    def document(**ids: str) -> JsonObject | None:
        seen = traffic.run(**ids)
        return None if seen is None else redactor.json(_document(seen))

    app.add_url_rule(UI, "ui", lambda: redirect(ui_url("ui runs")))
    app.add_url_rule(f"{UI}runs", "ui runs", lambda: _show_runs(traffic, redactor))
    app.add_url_rule(path, "ui trace", lambda **ids: _show_trace(document(**ids), **ids))
    app.add_url_rule(f"{path}/data", "ui trace data", lambda **ids: show_run_data(document(**ids)))


def _show_runs(traffic: SeenTraffic, redactor: SecretRedactor) -> Response:
    runs = [redactor.json(_row(one)) for one in traffic.runs()]
    return show_page("seen_runs.html", "ui runs", runs=runs)


def _row(seen: SeenRun) -> JsonObject:
    """Return what the list shows; the server may have returned anything."""
    texts = {name: seen.execution.get(name) for name in ("status", "error", "started_at")}
    return {
        **{name: one if isinstance(one, str) else None for name, one in texts.items()},
        "workflow_id": seen.workflow_id,
        "run_id": seen.run_id,
        "duration": seen.execution.get("duration_ms"),
        "violations": len(seen.violations),
    }


def _show_trace(document: JsonObject | None, workflow_id: str, run_id: str) -> Response:
    if document is None:
        return show_problem(
            "This run was not seen",
            f"No client has read run {run_id!r} of workflow {workflow_id!r} lately.",
        )
    return show_run(document, workflow_id, run_id, workflow_id)


def _document(seen: SeenRun) -> JsonObject:
    ids = {"workflow_id": seen.workflow_id, "run_id": seen.run_id}
    path = "v1/workflows/{}/executions/{}".format(*(quote(one, safe="") for one in ids.values()))
    inside = [one for one in seen.violations if f"{one.pointer}/".startswith(_DATA)]
    outside = [one for one in seen.violations if one not in inside]
    return {
        "execution": seen.execution,
        "envelope": seen.envelope,
        "note": _NOTE,
        "violations": violations_json(
            replace(one, pointer=one.pointer[len(_DATA) - 1 :]) for one in inside
        ),
        "outside": violations_json(outside),
        "now": format_timestamp(datetime.now(UTC)),
        "links": {
            "data": ui_url("ui trace data", **ids),
            "curl": f"curl -H 'x-api-key: YOUR_KEY' {shlex.quote(request.host_url + path)}",
        },
    }
