"""Adds the control API to the application: one line for each route."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response

from mockserver.journal import Journal
from mockserver.service import Service

from . import clock, executions, faults, journal, promises, runs, sessions
from .guard import ROOT, guard, preflight, share
from .steering import Steering

_RUN = "workflows/<id>/executions/<run_id>"
_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "state", sessions.get_state),
    ("POST", "reset", sessions.reset_session),
    ("GET", "journal", journal.get_journal),
    ("DELETE", "journal", journal.clear_journal),
    ("GET", "journal/<number>", journal.get_journal_entry),
    ("POST", "verify", journal.verify_counts),
    ("GET", "clock", clock.get_clock),
    ("PUT", "clock", clock.set_clock),
    ("DELETE", "clock", clock.unset_clock),
    ("POST", "clock/advance", clock.advance_clock),
    ("GET", "faults", faults.list_faults),
    ("POST", "faults", faults.add_fault),
    ("DELETE", "faults", faults.remove_faults),
    ("DELETE", "faults/<fault_id>", faults.remove_fault),
    ("PUT", "chaos", faults.set_chaos),
    ("DELETE", "chaos", faults.unset_chaos),
    ("PUT", "contract-faults/<name>", promises.break_promise),
    ("DELETE", "contract-faults/<name>", promises.keep_promise),
    ("DELETE", "contract-faults", promises.keep_promises),
    ("POST", "workflows/<id>/runs", runs.start_live_run),
    ("POST", f"{_RUN}/advance", runs.advance_run),
    ("PUT", _RUN, executions.change_run),
    ("PATCH", _RUN, executions.change_run),
    ("DELETE", _RUN, executions.change_run),
)


def add_control(app: Flask, service: Service, kept: Journal) -> None:
    """Add every route, and the guard before them."""
    steering = Steering(service, kept)
    for method, path, answer in _ROUTES:
        app.add_url_rule(
            ROOT + path,
            f"control {method} {path}",
            _answering(partial(answer, steering)),
            methods=[method],
            provide_automatic_options=False,
        )
    app.add_url_rule(f"{ROOT}<path:_any>", "control preflight", preflight, methods=["OPTIONS"])
    app.before_request(lambda: guard(service))
    app.after_request(lambda response: share(response, service.settings))


def _answering(answer: Callable[..., Any]) -> Callable[..., Response]:
    def answering(**path: str) -> Response:
        body, status = answer(**path), 200
        if isinstance(body, tuple):
            body, status = body
        text = json.dumps(body, ensure_ascii=False)
        return Response(text + "\n", status=status, mimetype="application/json")

    return answering
