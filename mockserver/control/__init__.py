"""The control API under `/__mock/`: time, faults, runs and executions of a session."""

import fnmatch
import json
from collections.abc import Callable
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request

from contracts import JsonObject, format_timestamp, parse_timestamp
from mockserver.errors import ApiError
from mockserver.executions import NamedRun
from mockserver.journal import Journal, Passed
from mockserver.routes import session_of_request
from mockserver.service import Service
from mockserver.session_clock import SessionClock
from mockserver.sessions import DRIVES
from mockserver.starting_runs import start_run
from mockserver.transport_faults import CHAOS, KINDS, SCOPE

from .documents import change_execution
from .faults import read_fault
from .journal_entries import entry_of
from .verifying import verify

ROOT = "/__mock/"
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def add_control(app: Flask, service: Service, journal: Journal) -> None:
    """Add every route, and the guard before them."""
    control = Control(service, journal)
    run = "workflows/<id>/executions/<run_id>"
    routes: tuple[tuple[str, str, Callable[..., Any]], ...] = (
        ("GET", "state", control.state),
        ("POST", "reset", control.reset),
        ("GET", "journal", control.journal),
        ("DELETE", "journal", control.clear_journal),
        ("GET", "journal/<number>", control.journal_entry),
        ("POST", "verify", control.verify),
        ("GET", "clock", control.clock),
        ("PUT", "clock", control.set_clock),
        ("DELETE", "clock", control.unset_clock),
        ("POST", "clock/advance", control.advance_clock),
        ("GET", "faults", control.faults),
        ("POST", "faults", control.add_fault),
        ("DELETE", "faults", control.remove_faults),
        ("DELETE", "faults/<fault_id>", control.remove_faults),
        ("PUT", "chaos", control.set_chaos),
        ("DELETE", "chaos", control.unset_chaos),
        ("PUT", "contract-faults/<name>", control.break_promise),
        ("DELETE", "contract-faults/<name>", control.keep_promise),
        ("DELETE", "contract-faults", control.keep_promises),
        ("POST", "workflows/<id>/runs", control.start),
        ("POST", f"{run}/advance", control.advance_run),
        ("PUT", run, control.change),
        ("PATCH", run, control.change),
        ("DELETE", run, control.change),
    )
    for method, path, answer in routes:
        app.add_url_rule(
            ROOT + path,
            f"control {method} {path}",
            _answering(answer),
            methods=[method],
            provide_automatic_options=False,
        )
    app.add_url_rule(
        f"{ROOT}<path:_any>",
        "control preflight",
        lambda _any: Response(status=204),
        methods=["OPTIONS"],
    )
    app.before_request(lambda: _guard(service))
    app.after_request(_share)


def _answering(answer: Callable[..., Any]) -> Callable[..., Response]:
    def answering(**path: str) -> Response:
        body, status = answer(**path), 200
        if isinstance(body, tuple):
            body, status = body
        text = json.dumps(body, ensure_ascii=False)
        return Response(text + "\n", status=status, mimetype="application/json")

    return answering


def _is_local(origin: str) -> bool:
    return (urlsplit(origin).hostname or "") in _LOCAL


def _guard(service: Service) -> None:
    """Refuse pages of other sites, and, if a token is set, whoever lacks it."""
    if not request.path.startswith(ROOT) or request.method == "OPTIONS":
        return
    token = service.settings.control_token
    if token is not None:
        if request.headers.get("X-Mock-Token") != token:
            raise ApiError(
                "AUTH_REQUIRED", "The control token is missing or wrong", "Send X-Mock-Token"
            )
        return
    origin = request.headers.get("Origin")
    if origin and not _is_local(origin):
        raise ApiError(
            "FORBIDDEN",
            "Pages of other sites may not steer this mock",
            "Serve the page from localhost, or start with --control-token",
        )


def _share(response: Response) -> Response:
    """Let pages of this machine, and those that hold the token, use the control API."""
    origin = request.headers.get("Origin")
    if request.path.startswith(ROOT) and origin and (_is_local(origin) or "*" in origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = (
            "Content-Type, X-Mock-Session, X-Mock-Token"
        )
    return response


def read_object() -> JsonObject:
    """Give the JSON object of the request; an absent body is `{}`.

    Raises:
        ApiError: BAD_REQUEST if it is none.
    """
    raw = request.get_data()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise ApiError("BAD_REQUEST", f"The body is not JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise ApiError("BAD_REQUEST", "The body is not a JSON object", "Send an object")
    return body


def refused(where: str, problem: str, fix: str) -> ApiError:
    """Give the 400 for one bad member of a body."""
    return ApiError(
        "VALIDATION_ERROR",
        "Request has 1 validation error(s)",
        fix,
        details={"errors": [f"{where}: {problem}"]},
    )


class Control:
    """Answers the control API; each method is one route."""

    def __init__(self, service: Service, journal: Journal) -> None:
        self._service = service
        self._journal = journal

    def _change(self, kind: str, body: JsonObject) -> None:
        self._service.change(session_of_request(), kind, body)

    def state(self) -> JsonObject:
        """Give what the session has changed."""
        session = self._service.session(session_of_request())
        return {
            "session": session.name,
            "seed": self._service.settings.seed,
            "clock": self.clock(),
            "faults": list(session.faults.values()),
            "contract_faults": list(self._service.broken_promises(session.name)),
            "chaos": self._service.chaos(session.name) or None,
            "started_runs": [
                {"workflow_id": run.plan.workflow_id, "run_id": name, "drive": run.drive}
                for name, run in session.started.items()
            ],
            "changed_executions": [
                {"workflow_id": ids[0], "run_id": ids[1], "change": "put" if one else "deleted"}
                for ids, one in session.executions.items()
            ],
        }

    def reset(self) -> JsonObject:
        """Go back to the start state; the journal is empty then."""
        self._journal.clear(session_of_request())
        self._change("reset", {})
        return self.state()

    def journal(self) -> JsonObject:
        """Give the session's requests, newest first."""
        passed = self._wanted_of_journal()
        written = request.args.get("limit", "50")
        if not (written.isascii() and written.isdigit() and len(written) < 6):
            raise refused("query/limit", "is not a whole number", "Send one from 0 to 99999")
        shown = [entry_of(one, self._service.redactor) for one in passed[: int(written)]]
        return {"entries": shown, "total": len(passed)}

    def _wanted_of_journal(self) -> list[Passed]:
        """Give what has passed in the session, newest first, as the query narrows it down."""
        wanted = request.args
        after = wanted.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise refused("query/after", "is not a whole number", "Send the number of an entry")
        return [
            one
            for one in self._journal.newest(session_of_request())
            if one.number > int(after)
            and wanted.get("status", str(one.status_code)) == str(one.status_code)
            and fnmatch.fnmatchcase(one.path, wanted.get("path", "*"))
        ]

    def journal_entry(self, number: str) -> JsonObject:
        """Give one request."""
        passed = {str(one.number): one for one in self._journal.newest(session_of_request())}
        self._known(number, passed, "journal entry")
        return entry_of(passed[number], self._service.redactor)

    def clear_journal(self) -> JsonObject:
        """Forget the session's requests."""
        self._journal.clear(session_of_request())
        return self.journal()

    def verify(self) -> JsonObject:
        """Say whether as many requests came as was expected."""
        return verify(self._journal.newest(session_of_request()), read_object())

    def clock(self) -> JsonObject:
        """Give the session's clock."""
        clock = self._service.session_clock(session_of_request())
        return clock.described(self._service.clock.now())

    def set_clock(self) -> JsonObject:
        """Set the time, the speed, or both; speed 0 freezes."""
        body = read_object()
        machine = self._service.clock.now()
        old = self._service.session_clock(session_of_request())
        began, speed = old.at(machine), body.get("speed", old.speed)
        if "now" in body:
            parsed = parse_timestamp(body["now"]) if isinstance(body["now"], str) else None
            if parsed is None:
                raise refused("now", "is not a time", "Write it like 2026-03-27T10:15:00Z")
            began = parsed.astimezone(UTC)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed < 1e7:
            raise refused("speed", "is not a number from 0", "Use 0 to freeze, 1 for real time")
        self._change("clock", SessionClock(began, machine, speed).as_json())
        return self.clock()

    def unset_clock(self) -> JsonObject:
        """Go back to the clock of the start."""
        self._change("clock", {})
        return self.clock()

    def advance_clock(self) -> JsonObject:
        """Move the time by some seconds."""
        seconds = read_object().get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise refused("seconds", "is not a number", 'Send {"seconds": 90}')
        clock = self._service.session_clock(session_of_request())
        try:
            moved = clock.moved(self._service.clock.now(), seconds)
            format_timestamp(moved.began)
        except (OverflowError, ValueError) as problem:
            raise refused("seconds", "leads beyond the year 9999", "Move less far") from problem
        self._change("clock", moved.as_json())
        return self.clock()

    def faults(self) -> JsonObject:
        """Give the session's transport faults and the kinds there are."""
        kinds = [
            {"kind": one.name, "description": one.description, "parameters": dict(one.parameters)}
            for one in KINDS.values()
        ]
        session = self._service.session(session_of_request())
        return {"faults": list(session.faults.values()), "kinds": kinds, "scope": list(SCOPE)}

    def add_fault(self) -> tuple[JsonObject, int]:
        """Add a fault."""
        fault = read_fault(read_object())
        self._change("fault", fault)
        return fault, 201

    def remove_faults(self, fault_id: str | None = None) -> JsonObject:
        """Take away one fault, or all."""
        if fault_id is not None:
            self._known(fault_id, self._service.session(session_of_request()).faults, "fault")
        self._change("fault_removed", {"id": fault_id})
        return self.faults()

    def set_chaos(self) -> JsonObject:
        """Turn on a mix of faults."""
        profile = read_object().get("profile")
        if profile not in CHAOS:
            raise refused("profile", "is unknown", f"Use one of {', '.join(CHAOS)}")
        self._change("chaos", {"value": profile})
        return self.state()

    def unset_chaos(self) -> JsonObject:
        """Turn it off."""
        self._change("chaos", {"value": ""})
        return self.state()

    def break_promise(self, name: str) -> JsonObject:
        """Turn on a contract fault."""
        from mockserver.contract_faults import UnknownFaultError, faults_named

        try:
            faults_named([name])
        except UnknownFaultError as problem:
            raise ApiError("NOT_FOUND", str(problem)) from problem
        broken = [one for one in self.state()["contract_faults"] if one != name]
        self._change("contract_faults", {"value": [*broken, name]})
        return self.state()

    def keep_promise(self, name: str) -> JsonObject:
        """Turn off a contract fault."""
        broken = self.state()["contract_faults"]
        self._known(name, broken, "active contract fault")
        self._change("contract_faults", {"value": [one for one in broken if one != name]})
        return self.state()

    def keep_promises(self) -> JsonObject:
        """Turn off all of them."""
        self._change("contract_faults", {"value": []})
        return self.state()

    def start(self, id: str) -> tuple[JsonObject, int]:  # noqa: A002 - named by the path
        """Start a live run."""
        scene = self._service.scene(session_of_request())
        self._known(id, scene.family.workflows, "workflow")
        body = read_object()
        for name, allowed in (("status", ("completed", "failed", "running")), ("drive", DRIVES)):
            if body.get(name) not in (None, *allowed):
                raise refused(name, "is unknown", f"Use one of {', '.join(allowed)}")
        for name in ("overrides", "action_mocks"):
            if not isinstance(body.get(name, {}), dict):
                raise refused(name, "is not an object", "Send an object, or leave it out")
        steps = body.get("steps")
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int)):
            raise refused("steps", "is not a whole number", "Send a number, or leave it out")
        wanted = {
            name: body.get(name)
            for name in ("status", "steps", "overrides", "action_mocks", "drive")
        }
        run = start_run(self._service, scene, id, wanted)
        named = NamedRun("", "", run.plan.status, id, run.plan.run_id)
        ids = {"workflow_id": id, "run_id": run.plan.run_id}
        return {**ids, "path": named.path, "drive": run.drive}, 201

    def advance_run(self, id: str, run_id: str) -> JsonObject:  # noqa: A002
        """Move a run that is driven by hand."""
        run = self._service.session(session_of_request()).started.get(run_id)
        if run is None or run.plan.workflow_id != id or run.drive not in {"manual", "read"}:
            raise ApiError(
                "NOT_FOUND",
                "There is no such run that is driven by hand",
                'Start one with {"drive": "manual"}',
            )
        count = read_object().get("transitions", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10**6:
            raise refused("transitions", "is not from 1 to 1000000", "Send a whole number")
        self._change("moved", {"run_id": run_id, "transitions": count})
        found = self._service.scene(session_of_request()).find(id, run_id)
        return found.execution if found else {}

    def change(self, id: str, run_id: str) -> JsonObject:  # noqa: A002
        """Put, patch or delete an execution."""
        scene = self._service.scene(session_of_request())
        self._known(id, scene.family.workflows, "workflow")
        body = {} if request.method == "DELETE" else read_object()
        is_forced = request.args.get("force") == "true"
        execution = change_execution(
            scene.find(id, run_id), id, run_id, request.method, body, is_forced=is_forced
        )
        self._change("put", {"workflow_id": id, "run_id": run_id, "execution": execution})
        return execution if execution is not None else {"deleted": run_id}

    def _known(self, name: str, names: Any, what: str) -> None:
        if name not in names:
            raise ApiError("NOT_FOUND", f"There is no such {what}", f"Known: {', '.join(names)}")
