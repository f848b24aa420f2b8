"""Further servers that keep the contract: gateways, clocks, ids of every shape, busy accounts."""

import copy
import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta, timezone
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, unquote

from deadringer.contracts import JsonObject
from deadringer.fixtures.edits import moved
from deadringer.mockserver import DEMO_KEY
from deadringer.mockserver.faults.contract import MutableResponse, Traffic

from .variants import Change, Variant, Wrap, rewritten

_ERROR = {"success": False, "error": {"code": "NOT_FOUND", "message": "No such thing"}}
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"


def _every(turns: int, status: str, body: bytes, **headers: str) -> Wrap:
    """MutableResponse one request of so many at the gateway."""

    def wrap(application: Callable[..., Any]) -> Callable[..., Any]:
        seen = [0]

        def handle(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            seen[0] += 1
            if seen[0] % turns:
                response: Iterable[bytes] = application(environ, start)
                return response
            kind = "text/html" if body.startswith(b"<") else "application/json"
            extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
            length = ("Content-Length", str(len(body)))
            start(status, [("Content-Type", kind), length, *extra])
            return [body]

        return handle

    return wrap


def _dated(seconds: float | None) -> Wrap:
    """Set the Date header by another clock, or leave it out."""

    def wrap(application: Callable[..., Any]) -> Callable[..., Any]:
        def handle(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                others = [one for one in headers if one[0].lower() != "date"]
                if seconds is not None:
                    others.append(("Date", formatdate(time.time() + seconds, usegmt=True)))
                return start(status, others, *more)

            response: Iterable[bytes] = application(environ, started)
            return response

        return handle

    return wrap


def _shaped(shape: Callable[[str], str]) -> Wrap:
    """Replace the ids of runs by ids of another shape, in every path and body."""

    def wrap(application: Callable[..., Any]) -> Callable[..., Any]:
        real: dict[str, str] = {}

        def shaped(match: re.Match[str]) -> str:
            made = shape(match[0])
            real[made] = match[0]
            return json.dumps(made, ensure_ascii=False)[1:-1]

        def handle(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
            parts = raw.partition("?")[0].split("/")
            if len(parts) > 5 and parts[4] == "executions":
                asked = unquote(parts[5])
                parts[5] = quote(real.get(asked, f"no-{asked}"), safe="")
                if asked.startswith("..") or "/" in asked:
                    parts[5] = quote(asked, safe="").replace(".", "%2E")
                path = "/".join(unquote(one) for one in parts)
                environ["PATH_INFO"] = path.encode("utf-8", "surrogateescape").decode("latin-1")
                for name in ("REQUEST_URI", "RAW_URI"):
                    environ[name] = "/".join(parts) + raw[len(raw.partition("?")[0]) :]
            sent: list[Any] = []
            environ.pop("HTTP_ACCEPT_ENCODING", None)
            body = b"".join(application(environ, lambda *head: sent.extend(head[:2])))
            text = re.sub(r"run_(?!id\b)[a-z0-9]+", shaped, body.decode("utf-8", "surrogateescape"))
            body = text.encode("utf-8", "surrogateescape")
            headers = [one for one in sent[1] if one[0].lower() not in {"content-length", "etag"}]
            start(sent[0], [*headers, ("Content-Length", str(len(body)))])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

        return handle

    return wrap


def _mixed_case(run_id: str) -> str:
    return "".join(one.upper() if at % 3 else one for at, one in enumerate(_digest(run_id)))


def _digest(run_id: str) -> str:
    return hashlib.sha256(run_id.encode()).hexdigest()


def _listed(traffic: Traffic, response: MutableResponse, rows: list[JsonObject]) -> None:
    """MutableResponse with the page of other rows."""
    page = response.data["pagination"]
    size, number = page["page_size"], page["page"]
    response.data["executions"] = rows[(number - 1) * size : number * size]
    page.update(total_count=len(rows), total_pages=-(-len(rows) // size))


def _all_rows(traffic: Traffic, workflow_id: str) -> list[JsonObject]:
    rows: list[JsonObject] = []
    for page in (1, 2, 3):
        path = f"/v1/workflows/{workflow_id}/executions?page_size=100&page={page}"
        rows += traffic.send(path).data.get("executions", [])
    return rows


def _only_runs(wanted: Callable[[str, JsonObject], bool]) -> Change:
    """Know no other runs than these; `wanted` gets the workflow's id and the row."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        workflow_id = traffic.ids.get("id", "")
        if traffic.operation_id == "listExecutions" and response.data:
            rows = [one for one in _all_rows(traffic, workflow_id) if wanted(workflow_id, one)]
            _listed(traffic, response, rows)
        is_run = traffic.operation_id in {"getExecution", "getExecutionVariables"}
        if is_run and response.status == 200 and not wanted(workflow_id, response.data):
            response.status, response.body = 404, copy.deepcopy(_ERROR)

    return changed


def _neighbour(near: Callable[[str], str | None], *, earlier_ms: int = 86_400_000) -> Change:
    """Know a second run beside each, whose id differs slightly; `near` returns the first one's."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        asked = traffic.ids.get("runId", "")
        known = near(asked)
        if traffic.operation_id != "getExecution" or response.status != 404 or known is None:
            return
        good = traffic.send(f"/v1/workflows/{traffic.ids['id']}/executions/{known}")
        if good.status == 200 and good.data["status"] != "running" and traffic.has_good_key:
            run = good.data
            run.update(id=f"exec_of_{_digest(asked)[:8]}", run_id=asked)
            for part in (run, *run["steps"]):
                for name in ("started_at", "ended_at", "created"):
                    if part.get(name) is not None:
                        part[name] = moved(part[name], -earlier_ms)
            response.status, response.body = 200, good.body

    return changed


def _neighbour_of_all(traffic: Traffic, response: MutableResponse) -> None:
    """Know every run whose id differs from a listed one in the last letter."""
    asked = traffic.ids.get("runId", "")
    if traffic.operation_id == "getExecution" and response.status == 404 and len(asked) > 8:
        ids = [row["run_id"] for row in _all_rows(traffic, traffic.ids["id"])]
        found = next((run_id for run_id in ids if run_id[:-1] == asked[:-1]), None)
        _neighbour(lambda _asked: found)(traffic, response)


def _empty_first(traffic: Traffic, response: MutableResponse) -> None:
    """The first listed workflow has no runs."""
    empty = "V1StGXR8_Z5jdHi6B-myT"
    _only_runs(lambda workflow_id, _row: workflow_id != empty)(traffic, response)


def _inserting() -> Change:
    """Every other second a run has come into being, at the front of the list."""
    began = time.monotonic()

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "listExecutions" and response.data:
            rows = _all_rows(traffic, traffic.ids["id"])
            done = [row for row in rows if row["status"] != "running"]
            some = done[: min(len(done), int((time.monotonic() - began) / 1.7))]
            fresh = [{**row, "run_id": f"{row['run_id']}new"} for row in reversed(some)]
            _listed(traffic, response, [*fresh, *rows])
        known = traffic.ids.get("runId", "").removesuffix("new")
        _neighbour(lambda asked: known if asked != known else None, earlier_ms=0)(traffic, response)

    return changed


def _exponents(traffic: Traffic, response: MutableResponse) -> None:
    """Write durations as 4.32e3."""
    if response.status == 200 and response.body is not None and response.raw is None:
        text = json.dumps(response.body, ensure_ascii=False)
        pattern = r'("duration(?:_ms)?": )(\d+)(?=[,}])'
        response.raw = re.sub(
            pattern, lambda one: f"{one[1]}{int(one[2]) / 1000!r}e3", text
        ).encode()


def _spent_by_others() -> Change:
    """Others spend credits all the time."""
    began = time.monotonic()

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "getCreditBalance" and response.data:
            passed = time.monotonic() - began
            response.data["balance"] -= int(3 * passed) + int(passed * passed) % 3

    return changed


def _shared_limit() -> Change:
    """Others use the key as well."""
    counted = {"sum": 0}

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        name = "RateLimit-Remaining"
        counted["sum"] += int(_digest(str(counted["sum"]))[0], 16) % 4
        if name in response.headers:
            left = int(response.headers[name]) - counted["sum"]
            response.headers[name] = str(max(0, left))

    return changed


def _late(operation_id: str, seconds: float) -> Change:
    """Show the end of a run a moment late in one of the two."""
    seen: dict[str, float] = {}

    def row_is_late(run_id: str, status: str) -> bool:
        if status == "running":
            seen[run_id] = 0.0
        elif seen.get(run_id) == 0.0:
            seen[run_id] = time.monotonic()
        since = seen.get(run_id)
        return (
            status != "running" and bool(since) and time.monotonic() - float(since or 0) < seconds
        )

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id != "listExecutions" or not response.data:
            return
        for row in response.data["executions"]:
            if row_is_late(row["run_id"], row["status"]):
                row.update(status="running", completed_at=None, duration=None, error=None)

    return changed


def _minute_ago() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 60))


def _test_runs_late(seconds: float) -> Change:
    """The detail of a test run is a 404 for a moment."""
    first: dict[str, float] = {}

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        is_new = response.data.get("created", "") > _minute_ago()
        if traffic.operation_id == "getExecution" and is_new:
            began = first.setdefault(traffic.ids["runId"], time.monotonic())
            if time.monotonic() - began < seconds:
                response.status, response.body = 404, copy.deepcopy(_ERROR)

    return changed


def _second_key(traffic: Traffic, response: MutableResponse) -> None:
    """Another key exists that differs in its last letter."""
    if response.status == 401 and traffic.key == DEMO_KEY[:-1] + "q":
        query = "&".join(f"{name}={value}" for name, value in traffic.query.items())
        good = traffic.send(f"{traffic.path}?{query}")
        response.status, response.body = good.status, good.body


def _first_letters(traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 401 and traffic.key:
        response.error["message"] = f"The key {traffic.key[:9]}… is not valid"


def _other_forms_are_400(traffic: Traffic, response: MutableResponse) -> None:
    asked = traffic.ids.get("runId", "run_1")
    if response.status == 404 and not re.fullmatch(r"run_[a-z0-9]+", asked):
        response.status = 400
        response.error.update(code="VALIDATION_ERROR", message="runId has another form")


def _redirecting(application: Callable[..., Any]) -> Callable[..., Any]:
    def handle(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.endswith("/") or "//" in path:
            plain = re.sub("/{2,}", "/", path).rstrip("/")
            location = quote(plain.encode("latin-1"))
            start("308 Permanent Redirect", [("Location", location), ("Content-Length", "0")])
            return [b""]
        response: Iterable[bytes] = application(environ, start)
        return response

    return handle


_RATE = json.dumps(
    {"success": False, "error": {"code": "RATE_LIMITED", "message": "Too many requests"}}
).encode()
_UNAVAILABLE = json.dumps(
    {"success": False, "error": {"code": "API_OFF", "message": "Try again"}}
).encode()

MORE_VARIANTS = (
    Variant("a proxy that fails once in fifty", wrap=_every(50, "502 Bad Gateway", _HTML)),
    Variant("a balancer without a server once in forty",
            wrap=_every(40, "503 Service Unavailable", _UNAVAILABLE, Retry_After="1")),
    Variant("a 429 in the middle",
            wrap=_every(90, "429 Too Many Requests", _RATE, Retry_After="1")),
    Variant("HTTP/1.0 and connection close", http="HTTP/1.0"),
    Variant("a clock two seconds ahead", wrap=_dated(2)),
    Variant("a clock two seconds behind", wrap=_dated(-2)),
    Variant("no Date", wrap=_dated(None)),
    Variant("a workflow without runs first", _empty_first),
    Variant("everything failed", _only_runs(lambda _id, row: row["status"] == "failed")),
    Variant("one run in all", _only_runs(lambda _id, row: row["run_id"] == "run_x7k9m2")),
    Variant("every id with another last letter is a run too", _neighbour_of_all),
    Variant("every id with a letter more is a run too",
            _neighbour(lambda asked: asked[:-1] if asked.startswith("run_") else None)),
    Variant("every id in capitals is another run",
            _neighbour(lambda asked: asked.lower() if asked.startswith("RUN_") else None)),
    Variant("ids that are UUIDs", wrap=_shaped(
        lambda one: str(uuid.UUID(_digest(one)[:32], version=4)))),
    Variant("ids that are numbers", wrap=_shaped(lambda one: str(int(_digest(one)[:9], 16)))),
    Variant("ids of 200 letters", wrap=_shaped(lambda one: (_digest(one) * 4)[:200])),
    Variant("ids with punctuation", wrap=_shaped(lambda one: f"{_digest(one)[:9]}.:@!$~'()*,=")),
    Variant("ids beyond ASCII", wrap=_shaped(lambda one: f"lauf-é-✓-{_digest(one)[:9]}")),
    Variant("ids with blanks and percent signs",
            wrap=_shaped(lambda one: f"a b%20c {_digest(one)[:9]}")),
    Variant("ids in capitals and small letters", wrap=_shaped(_mixed_case)),
    Variant("numbers with exponents", _exponents),
    Variant("timestamps west of Greenwich", rewritten(
        lambda one: one.astimezone(timezone(-timedelta(hours=3, minutes=30))).isoformat())),
    Variant("runs inserted between two reads of a page", make=_inserting),
    Variant("an account that others spend from", make=_spent_by_others),
    Variant("a limit that others use up too", make=_shared_limit),
    Variant("a list a second behind", make=lambda: _late("listExecutions", 1.0), writes=True),
    Variant("test runs that are a 404 at first", make=lambda: _test_runs_late(1.0), writes=True),
    Variant("another key that differs in one letter", _second_key),
    Variant("refusals that show the first letters of a key", _first_letters),
    Variant("ids of another form are a 400", _other_forms_are_400),
    Variant("redirects for other spellings of a path", wrap=_redirecting),
)  # fmt: skip
