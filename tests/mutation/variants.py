"""Correct servers that differ from the mock: the check must let them pass."""

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from deadringer.contracts import JsonObject, parse_timestamp
from deadringer.mockserver import DEMO_KEY, RatePolicy, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.contract import ContractFault, MutableResponse, Traffic

from .servers import PLENTY, alone, serving

Change = Callable[[Traffic, MutableResponse], None]
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Variant:
    """One correct variant: a change of responses, or a wrapper around the application."""

    name: str
    change: Change | None = None
    wrap: Wrap | None = None
    policy: RatePolicy = PLENTY
    rate_limit: str = "report"
    needs_ids: bool = False
    api_key: str = DEMO_KEY
    make: Callable[[], Change] | None = None
    http: str = "HTTP/1.1"
    writes: bool = False


@contextmanager
def served(variant: Variant) -> Iterator[str]:
    """Serve a variant; yield its base URL."""
    settings = Settings(
        rate_policy=variant.policy, rate_limit=variant.rate_limit, api_keys=(variant.api_key,)
    )
    faults: tuple[ContractFault, ...] = ()
    change = variant.make() if variant.make is not None else variant.change
    if change is not None:
        faults = (ContractFault(variant.name, "tolerated", "", "", alone(change)),)
    application: Callable[..., Any] = build_app(settings, contract_faults=faults)
    if variant.wrap is not None:
        application = variant.wrap(application)
    with serving(application, protocol=variant.http) as url:
        yield url


def _objects(value: Any) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _every(change: Callable[[JsonObject], None]) -> Change:
    """Change every object of every successful response outside of inputs and outputs."""

    def changed(_traffic: Traffic, response: MutableResponse) -> None:
        if response.status == 200 and isinstance(response.body, dict):
            for found in list(_objects(response.body)):
                change(found)

    return changed


def _run(change: Callable[[JsonObject], None]) -> Change:
    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "getExecution" and response.data:
            change(response.data)

    return changed


def _steps(change: Callable[[JsonObject], None]) -> Change:
    def each(run: JsonObject) -> None:
        for step in run["steps"]:
            change(step)

    return _run(each)


_TIMES = ("started_at", "ended_at", "created", "completed_at", "updated")


def rewritten(write: Callable[[Any], str]) -> Change:
    """Write every timestamp of runs and rows in another form."""

    def change(found: JsonObject) -> None:
        for name in _TIMES:
            moment = parse_timestamp(found.get(name))
            if moment is not None:
                found[name] = write(moment)

    return _every(change)


def _extra(found: JsonObject) -> None:
    if {"run_id", "step_id", "stepId", "kind", "page", "success"} & found.keys():
        found["addedNextYear"] = {"anything": [1, None]}


def _as_float(found: JsonObject) -> None:
    for name in ("duration_ms", "duration"):
        if found.get(name) is not None:
            found[name] = float(found[name])


def _rounded(run: JsonObject) -> None:
    if run["duration_ms"]:
        run["duration_ms"] += 1


def _by_label(run: JsonObject) -> None:
    labels = {column["id"]: column["label"] for column in run["column_config"] or []}
    for step in run["steps"]:
        if step["mapped_output"]:
            mapped = step["mapped_output"].items()
            step["mapped_output"] = {labels[name]: value for name, value in mapped}


def _nulls_absent(run: JsonObject) -> None:
    for step in run["steps"]:
        for name in ("output", "mapped_output", "error"):
            if step[name] is None:
                del step[name]
    if run["column_config"] is None:
        del run["column_config"]


def _error_as_object(step: JsonObject) -> None:
    if isinstance(step["error"], str):
        step["error"] = {"message": step["error"], "code": "FAILED"}


def _not_started(run: JsonObject) -> None:
    if run["status"] == "running":
        run["steps"] = []


def _keys_sorted(_traffic: Traffic, response: MutableResponse) -> None:
    response.body = json.loads(json.dumps(response.body, sort_keys=True))


def _opaque(_traffic: Traffic, response: MutableResponse) -> None:
    """Use names in many scripts; ids do not change."""
    if response.data.get("workflow", {}) and "name" in response.data:
        response.data["name"] = "كل الأسماء 名前 𝔫𝔞𝔪𝔢 🎉"


def _unsorted(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data:
        response.data["executions"].sort(key=lambda row: row["run_id"][::-1])


def _recovered(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data:
        page = response.data["pagination"]
        for row in response.data["executions"]:
            row["ended_at"] = row.pop("completed_at")
            row["duration_ms"] = row.pop("duration")
            row |= {"event_name": "workflows/new-post", "created": row["started_at"]}
        response.body["data"] = {
            "items": response.data["executions"],
            "page": page["page"],
            "page_size": page["page_size"],
            "total": page["total_count"],
            "has_more": page["page"] < page["total_pages"],
        }
        response.body["message"] = "Executions retrieved successfully"


def _bearer_unknown(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.is_bearer:
        response.status = 401
        response.body = {
            "success": False,
            "error": {"code": "AUTH_REQUIRED", "message": "No API key was sent"},
        }


def _no_limits(_traffic: Traffic, response: MutableResponse) -> None:
    for name in ("Limit", "Remaining", "Reset"):
        response.headers.pop(f"RateLimit-{name}", None)


def _home_page_401(_traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 401:
        response.body = {"message": "Unauthorized", "error": "Invalid or missing API key"}


def _rate_page_429(_traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 429:
        response.body = {
            "success": False,
            "message": "Rate limit exceeded. Maximum 100 requests per minute allowed.",
            "error": "RATE_LIMIT_EXCEEDED",
        }


def _without_message(_traffic: Traffic, response: MutableResponse) -> None:
    if isinstance(response.body, dict):
        response.body.pop("message", None)


def _bare_errors(_traffic: Traffic, response: MutableResponse) -> None:
    for name in ("details", "suggestion"):
        response.error.pop(name, None)


def _charset(_traffic: Traffic, response: MutableResponse) -> None:
    response.headers["Content-Type"] = "application/json; charset=utf-8"


def _only_completed(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data:
        rows = traffic.send(f"{traffic.path}?page_size=100").data["executions"]
        done = [row for row in rows if row["status"] == "completed"]
        page, size = (response.data["pagination"][name] for name in ("page", "page_size"))
        response.data["executions"] = done[(page - 1) * size : page * size]
        response.data["pagination"] |= {
            "total_count": len(done),
            "total_pages": -(-len(done) // size),
        }


def _one_run_lost(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.ids.get("runId") == "run_p7t5u1" and response.status == 200:
        response.status = 404
        response.body = {"success": False, "error": {"code": "NOT_FOUND", "message": "Not yet"}}


def _balance_as_text(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getCreditBalance" and response.data:
        response.data["balance"] = str(response.data["balance"])


def _variables_lost(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecutionVariables" and response.status == 200:
        response.status = 404
        response.body = {"success": False, "error": {"code": "NOT_FOUND", "message": "Not stored"}}


def _huge(traffic: Traffic, response: MutableResponse) -> None:
    steps = response.data.get("steps", [])
    if traffic.ids.get("runId") in {"run_x7k9m2", "run_b7h2k9"}:
        for step in steps.values() if isinstance(steps, dict) else steps:
            if step["output"] is not None:
                step["output"] = {**step["output"], "raw": "x" * 1_200_000}


def _finishes_between(traffic: Traffic, response: MutableResponse) -> None:
    """The list still shows as running what has ended by the time the detail is read."""
    if traffic.operation_id == "listExecutions" and response.data and traffic.count == 0:
        for row in response.data["executions"][:1]:
            if row["status"] == "completed":
                row.update(status="running", completed_at=None, duration=None)


def _only(*operation_ids: str) -> Change:
    """Offer some operations only; the others return the bare 404 of an unknown route."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id not in operation_ids:
            response.status, response.raw = 404, b"not found\n"
            response.headers["Content-Type"] = "text/plain"

    return changed


def _wrapped(handle: Callable[..., Iterable[bytes]]) -> Wrap:
    return lambda application: lambda environ, start: handle(application, environ, start)


def _slow(application: Any, environ: Any, start: Any) -> Iterable[bytes]:
    time.sleep(0.02)
    response: Iterable[bytes] = application(environ, start)
    return response


def _compressed(application: Any, environ: Any, start: Any) -> Iterable[bytes]:
    head: list[Any] = []
    raw = b"".join(application(environ, lambda *started: head.extend(started[:2])))
    packed = gzip.compress(raw)
    headers = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
    start(head[0], [*headers, ("content-encoding", "gzip"), ("content-length", str(len(packed)))])
    return [packed]


def _chunked(application: Any, environ: Any, start: Any) -> Iterable[bytes]:
    head: list[Any] = []
    raw = b"".join(application(environ, lambda *started: head.extend(started[:2])))
    headers = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
    start(head[0], headers)
    return (raw[at : at + 7000] for at in range(0, len(raw), 7000))


def _no_head(application: Any, environ: Any, start: Any) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] not in {"GET", "POST"}:
        start("501 Not Implemented", [("content-type", "text/html"), ("content-length", "4")])
        return [b"<p>\n"]
    response: Iterable[bytes] = application(environ, start)
    return response


VARIANTS = (
    Variant("the mock itself"),
    Variant("unknown extra fields everywhere", _every(_extra)),
    Variant("no message", _without_message),
    Variant("names in every script", _opaque),
    Variant("timestamps with an offset", rewritten(
        lambda one: one.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat())),
    Variant("timestamps in whole seconds", rewritten(
        lambda one: one.replace(microsecond=0).isoformat().replace("+00:00", "Z"))),
    Variant("timestamps in microseconds", rewritten(
        lambda one: one.isoformat(timespec="microseconds"))),
    Variant("durations a millisecond off", _run(_rounded)),
    Variant("integral floats", _every(_as_float)),
    Variant("nulls left out", _run(_nulls_absent)),
    Variant("column_config empty, not null", _run(
        lambda run: run.update(column_config=run["column_config"] or []))),
    Variant("mapping keyed by label", _run(_by_label)),
    Variant("errors as objects", _steps(_error_as_object)),
    Variant("a running run without steps", _run(_not_started)),
    Variant("members in another order", _keys_sorted),
    Variant("outputs of a megabyte", _huge),
    Variant("no rate-limit headers", _no_limits),
    Variant("the 401 of the home page", _home_page_401),
    Variant("keys in x-api-key alone", _bearer_unknown),
    Variant("errors without details and suggestion", _bare_errors),
    Variant("latency", wrap=_wrapped(_slow)),
    Variant("compressed responses", wrap=_wrapped(_compressed)),
    Variant("chunked responses", wrap=_wrapped(_chunked)),
    Variant("a charset in the content type", _charset),
    Variant("HEAD and unusual methods not implemented", wrap=_wrapped(_no_head)),
    Variant("an unsorted list", _unsorted),
    Variant("the recovered list shape", _recovered),
    Variant("a run that ends between list and detail", _finishes_between),
    Variant("only completed runs", _only_completed),
    Variant("one listed run that is still a 404", _one_run_lost),
    Variant("a balance in text", _balance_as_text),
    Variant("no variables", _variables_lost),
    Variant("the detail endpoint alone", _only("getExecution"), needs_ids=True),
    Variant("detail and list alone", _only("getExecution", "listExecutions"), needs_ids=True),
    Variant("another key", api_key="trig_AAAAAAAAAAAAAAAAAAAA"),
    Variant("hundred requests a minute, refused beyond", policy=RatePolicy(100, 60),
            rate_limit="enforce"),
    Variant("the 429 of the rate-limit page", _rate_page_429, policy=RatePolicy(30, 2),
            rate_limit="enforce"),
)  # fmt: skip
