"""The application that shows the trace of one execution."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from shlex import quote

from flask import Flask, Response, redirect, request

from deadringer.contracts import JsonObject, Violation, format_timestamp
from deadringer.contracts.check import KEY_HEADER
from deadringer.contracts.documents import validate_document
from deadringer.contracts.redaction import KEY_VARIABLE
from deadringer.contracts.rules import validate_execution
from deadringer.contracts.trace_view import island, json_text, violations_json
from deadringer.mockserver.admin.control.access import host_name, is_loopback
from deadringer.mockserver.admin.ui.shell import UI, add_shell, show_page

from .load import NoExecutionError, ServerSource, Viewed

DATA = f"{UI}data"
_DATA = "/data/"


def build_viewer(viewed: Viewed) -> Flask:
    """Return the application; it serves only this machine, because runs may be private."""
    app = Flask("deadringer.mockserver", static_folder=None, template_folder="admin/ui/templates")
    app.before_request(_require_loopback)
    add_shell(app)
    app.add_url_rule("/", "front", lambda: redirect(UI))
    # The brand of every page links to the list of runs, which here is the one run.
    app.add_url_rule(UI, "ui runs", lambda: _show(viewed))
    app.add_url_rule(DATA, "ui data", lambda: _renewed(viewed))
    return app


def _require_loopback() -> Response | None:
    if is_loopback(host_name(request.host)):
        return None
    return Response("Open the viewer by localhost.\n", 403, mimetype="text/plain")


def _show(viewed: Viewed) -> Response:
    document = _document(viewed)
    title = str(viewed.execution.get("run_id", "Execution"))
    return show_page(
        "view.html", "ui runs", island=island(document), title=title, origin=viewed.origin
    )


def _renewed(viewed: Viewed) -> Response:
    try:
        viewed.renew()
    except NoExecutionError as problem:
        return Response(json.dumps({"error": str(problem)}), 502, mimetype="application/json")
    return Response(json_text(_document(viewed)), mimetype="application/json")


def _document(viewed: Viewed) -> JsonObject:
    links = {}
    if viewed.source is not None:
        links = {"data": DATA, "curl": _curl_line(viewed.source)}
    inside, outside = _validated(viewed)
    return {
        "execution": viewed.execution,
        "violations": violations_json(inside),
        "envelope": viewed.envelope,
        "outside": violations_json(outside),
        "workflow": viewed.workflow,
        "now": format_timestamp(datetime.now(UTC)),
        "links": links,
    }


def _curl_line(source: ServerSource) -> str:
    """Return a command that reads the execution; the key is a variable, other values are hidden."""
    headers = source.access.sent({KEY_HEADER: KEY_VARIABLE})
    name = "authorization" if source.access.bearer else source.access.key_header
    return f'curl -H "{name}: {headers[name]}"{source.access.curl_options()} {quote(source.url)}'


def _validated(viewed: Viewed) -> tuple[list[Violation], list[Violation]]:
    """Return the violations of the execution, and those of the response around it."""
    if viewed.envelope is None:
        return list(validate_execution(viewed.execution)), []
    response = {**viewed.envelope, "data": viewed.execution}
    found = validate_document(response, operation_id="getExecution")
    inside = [one for one in found if f"{one.pointer}/".startswith(_DATA)]
    outside = [one for one in found if not f"{one.pointer}/".startswith(_DATA)]
    return [replace(one, pointer=one.pointer[len(_DATA) - 1 :]) for one in inside], outside
