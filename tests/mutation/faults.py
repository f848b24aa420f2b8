"""Faulty servers of the kinds that slip through most easily: bugs of exactness, of time, of limits.

They are written from the reference of the API alone, without a look at the rules; `breaks` is the
group of rules that has to find them. Each fault makes its own state for each server, as bugs of
time need to remember what was sent before.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from deadringer.contracts import JsonObject
from deadringer.fixtures.edits import moved
from deadringer.mockserver import RatePolicy, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.contract import ContractFault, MutableResponse, Traffic

from .servers import KEY, PLENTY, alone, serving

RUN_EVERY_S = 4.0

Change = Callable[[Traffic, MutableResponse], None]
Make = Callable[[], Change]


@dataclass(frozen=True)
class ServerFault:
    """One bug: `make` returns the change of responses, with a state of its own.

    `groups` are the groups of rules one of which must report it as an error. With `starts`, so many
    runs are under way when the check begins.
    """

    name: str
    story: str
    groups: tuple[str, ...]
    make: Make
    needs_writes: bool = False
    starts: int = 0
    policy: RatePolicy = PLENTY
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None


@contextmanager
def served(fault: ServerFault) -> Iterator[str]:
    """Serve a faulty server; yield its base URL."""
    settings = Settings(rate_policy=fault.policy, log_format="text")
    change = ContractFault(fault.name, fault.groups[0], "", "", alone(fault.make()))
    application: Callable[..., Any] = build_app(settings, contract_faults=(change,))
    if fault.wrap is not None:
        application = fault.wrap(application)
    with serving(application) as url:
        over = threading.Event()
        starter = threading.Thread(target=_start_runs, args=(url, fault.starts, over))
        starter.start()
        try:
            yield url
        finally:
            over.set()
            starter.join()


def _start_runs(url: str, count: int, over: threading.Event) -> None:
    """Start runs one after another, so that some are under way whenever the check looks."""
    for _ in range(count):
        path = "/v1/workflows/wf_abc123/test"
        httpx.post(url + path, headers={"x-api-key": KEY}, json={}, timeout=30).raise_for_status()
        if over.wait(RUN_EVERY_S):
            return


def fixed(change: Change) -> Make:
    """Return a maker of a change without a state."""
    return lambda: change


def detail(change: Callable[[JsonObject], None], *statuses: str) -> Make:
    """Change executions of some statuses (all, if none is named)."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        data = response.data if traffic.operation_id == "getExecution" else {}
        if data and (not statuses or data["status"] in statuses):
            change(data)

    return fixed(changed)


def steps(change: Callable[[JsonObject], None], *statuses: str) -> Make:
    """Change the steps of some statuses in every execution."""

    def each(execution: JsonObject) -> None:
        for step in execution["steps"]:
            if not statuses or step["status"] in statuses:
                change(step)

    return detail(each)


def rows(change: Callable[[JsonObject], None]) -> Make:
    """Change every row of every list of runs."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "listExecutions" and response.data:
            for row in response.data["executions"]:
                change(row)

    return fixed(changed)


def headers(operation_id: str, **values: str) -> Make:
    """Set headers on the responses of an operation."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if operation_id in {"", traffic.operation_id}:
            for name, value in values.items():
                response.headers[name.replace("_", "-")] = value

    return fixed(changed)


def status(operation_id: str, code: int, *statuses: str) -> Make:
    """Set another 2xx status on the successful responses of an operation."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        is_wanted = not statuses or response.data.get("status") in statuses
        if traffic.operation_id == operation_id and response.status == 200 and is_wanted:
            response.status = code

    return fixed(changed)


# Exactness of ids and keys


def loose_id(name: str, real: Callable[[str], str]) -> Make:
    """Look an id of the path up in another spelling when it is not found as it is."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        value = traffic.ids.get(name, "")
        found = real(value)
        if response.status == 404 and traffic.has_good_key and found and found != value:
            path = traffic.path.replace(value, found) if value in traffic.path else ""
            good = traffic.send(path or _path(traffic, name, found))
            if good.status == 200:
                response.status, response.body = 200, good.body

    return fixed(changed)


def _path(traffic: Traffic, name: str, found: str) -> str:
    ids = {**traffic.ids, name: found}
    tail = f"/executions/{ids['runId']}" if "runId" in ids else ""
    tail = "/executions" if traffic.operation_id == "listExecutions" else tail
    return f"/v1/workflows/{ids['id']}{tail}"


def _wide(value: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", value)


def _unquoted(value: str) -> str:
    from urllib.parse import unquote

    return unquote(value)


def by_prefix(length: int) -> Make:
    """Find a run by the beginning of its id."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        asked = traffic.ids.get("runId", "")
        if traffic.operation_id != "getExecution" or response.status != 404 or len(asked) < length:
            return
        path = f"/v1/workflows/{traffic.ids['id']}/executions?page_size=100"
        pages = [traffic.send(f"{path}&page={page}") for page in (1, 2, 3)]
        for row in [row for page in pages for row in page.data.get("executions", [])]:
            if row["run_id"].startswith(asked) or asked.startswith(row["run_id"]):
                good = traffic.send(_path(traffic, "runId", row["run_id"]))
                response.status, response.body = good.status, good.body
                return

    return fixed(changed)


def loose_key(accepts: Callable[[str], bool], *operations: str) -> Make:
    """Accept keys that only look like a good one."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        wanted = not operations or traffic.operation_id in operations
        if response.status == 401 and wanted and traffic.key and accepts(traffic.key):
            found = traffic.send(traffic.path)
            response.status, response.body = found.status, found.body

    return fixed(changed)


def echo(put: Callable[[MutableResponse, str], None]) -> Make:
    """Repeat the key of a refused request."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if response.status == 401 and traffic.key:
            put(response, traffic.key)

    return fixed(changed)


def _same_log_id(run: JsonObject) -> None:
    run["id"] = f"exec_{run['workflow_id']}"


# Living runs


def remembering(change: Callable[[dict[Any, Any], Traffic, MutableResponse], None]) -> Make:
    """Return a maker of a change that has a dict as its memory."""

    def make() -> Change:
        memory: dict[Any, Any] = {}
        return lambda traffic, response: change(memory, traffic, response)

    return make


def _is_live(traffic: Traffic, response: MutableResponse) -> bool:
    started = response.data.get("started_at", "") if traffic.operation_id == "getExecution" else ""
    return bool(started) and started[:10] >= time.strftime(
        "%Y-%m-%d", time.gmtime(time.time() - 600)
    )


def stale_detail(seconds: float) -> Make:
    """Serve details from a cache for some seconds."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if _is_live(traffic, response):
            now = time.monotonic()
            at, body = memory.get(traffic.path, (0.0, None))
            if body is not None and now - at < seconds:
                response.body = copy.deepcopy(body)
            else:
                memory[traffic.path] = now, copy.deepcopy(response.body)

    return remembering(changed)


def stale_list(seconds: float) -> Make:
    """Serve lists from a cache for some seconds."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "listExecutions" and response.data:
            now, name = time.monotonic(), f"{traffic.path} {sorted(traffic.query.items())}"
            for row in response.data["executions"]:
                ended = memory.setdefault((name, row["run_id"]), None)
                if row["status"] != "running" and ended is None:
                    memory[name, row["run_id"]] = now if memory.get(row["run_id"]) else 0.0
                if row["status"] == "running":
                    memory[row["run_id"]] = True
                since = memory[name, row["run_id"]]
                if since and now - since < seconds:
                    row.update(status="running", completed_at=None, duration=None, error=None)

    return remembering(changed)


def after_the_end(
    seconds: float, change: Callable[[MutableResponse], None], operation: str = "getExecution"
) -> Make:
    """Change the detail of a run that ended under our eyes, some seconds after its end."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id != operation or not response.data:
            return
        run_id = traffic.ids.get("runId", "")
        if response.data["status"] == "running":
            memory[run_id] = None
        elif run_id in memory:
            memory[run_id] = memory[run_id] or time.monotonic()
            if time.monotonic() - memory[run_id] >= seconds:
                change(response)

    return remembering(changed)


def on_live(change: Callable[[JsonObject, int], None]) -> Make:
    """Change the details of running runs; the change gets how often the run was read."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if _is_live(traffic, response) and response.data["status"] == "running":
            change(response.data, traffic.count)

    return fixed(changed)


def _step_back(run: JsonObject, count: int) -> None:
    for step in run["steps"]:
        if step["status"] == "running" and count % 2:
            step["status"] = "pending"


def _done_step_runs(run: JsonObject, count: int) -> None:
    for step in run["steps"]:
        if step["status"] == "completed" and count % 4 == 3:
            step.update(status="running", ended_at=None, duration_ms=None, output=None)
            step["mapped_output"] = None


def _drop_done(run: JsonObject, _count: int) -> None:
    run["steps"] = [step for step in run["steps"] if step["status"] != "completed"]


def _start_moves(run: JsonObject, count: int) -> None:
    run["started_at"] = moved(run["started_at"], 40 * count)
    run["created"] = moved(run["created"], 40 * count)


def _never_ends(traffic: Traffic, response: MutableResponse) -> None:
    if _is_live(traffic, response) and response.data["status"] == "completed":
        response.data.update(status="running", ended_at=None, duration_ms=None)
    if traffic.operation_id == "listExecutions" and response.data:
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 600))
        for row in response.data["executions"]:
            if row["status"] == "completed" and row["started_at"][:10] >= day:
                row.update(status="running", completed_at=None, duration=None)


def _old_never_ends(traffic: Traffic, response: MutableResponse) -> None:
    last = "abcdefgh"
    run = response.data if traffic.operation_id == "getExecution" else {}
    if run and run["run_id"][-1] in last and run["status"] == "completed" and run["steps"]:
        run.update(status="running", ended_at=None, duration_ms=None)
    if traffic.operation_id == "listExecutions" and response.data:
        for row in response.data["executions"]:
            if row["status"] == "completed" and row["run_id"][-1] in last:
                row.update(status="running", completed_at=None, duration=None)


def _row_start_moves(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data:
        for row in response.data["executions"]:
            if row["status"] == "running":
                row["started_at"] = moved(row["started_at"], 100 * traffic.count)


def _row_goes_back(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and traffic.count % 2:
        for row in response.data["executions"][:3]:
            if row["status"] == "completed":
                row.update(status="running", completed_at=None, duration=None)


def _row_end_moves(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and traffic.count:
        for row in response.data["executions"]:
            if row["status"] == "completed":
                row["completed_at"] = moved(row["completed_at"], traffic.count)
                row["duration"] += traffic.count


def _fail(response: MutableResponse) -> None:
    response.data.update(status="failed", error="Step 'Send Summary' failed: timed out")
    if response.data["steps"]:
        response.data["steps"][-1].update(
            status="failed", error="timed out", output=None, mapped_output=None
        )


def _gone(response: MutableResponse) -> None:
    response.fail(404, "NOT_FOUND")


def _runs_again(response: MutableResponse) -> None:
    response.data.update(status="running", ended_at=None, duration_ms=None)


# Limits


def limited(change: Callable[[dict[str, Any], Traffic, MutableResponse], None]) -> Make:
    """Change rate-limit headers with a memory."""
    return remembering(change)


def _remaining_steady(
    _memory: dict[Any, Any], _traffic: Traffic, response: MutableResponse
) -> None:
    response.headers["RateLimit-Remaining"] = "99"


def _each_its_own(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
    count = memory[traffic.operation_id] = memory.get(traffic.operation_id, 0) + 1
    limit = int(response.headers.get("RateLimit-Limit", 100))
    response.headers["RateLimit-Remaining"] = str(max(0, limit - count))


def _detail_free(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id != "getExecution":
        memory["count"] = memory.get("count", 0) + 1
    limit = int(response.headers.get("RateLimit-Limit", 100))
    response.headers["RateLimit-Remaining"] = str(max(0, limit - memory.get("count", 0)))


def _limit_by_operation(
    _memory: dict[Any, Any], traffic: Traffic, response: MutableResponse
) -> None:
    if traffic.operation_id == "listExecutions":
        response.headers["RateLimit-Limit"] = "5000"
        response.headers["RateLimit-Remaining"] = "4000"


def _reset_too_soon(memory: dict[Any, Any], _traffic: Traffic, response: MutableResponse) -> None:
    memory.setdefault("began", time.monotonic())
    passed = time.monotonic() - memory["began"]
    response.headers["RateLimit-Reset"] = str(max(0, int(60 - 4 * passed)))


# Side effects


def charged(operation_id: str, every: int = 1, amount: int = 1) -> Make:
    """Charge credits for the reads of an operation."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == operation_id and response.status == 200:
            memory["reads"] = memory.get("reads", 0) + 1
        if traffic.operation_id == "getCreditBalance" and response.data:
            response.data["balance"] -= memory.get("reads", 0) // every * amount

    return remembering(changed)


def reordered(operation_id: str) -> Make:
    """Put the run that was read last at the front of the list."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == operation_id and response.status == 200:
            memory["turn"] = memory.get("turn", 0) + 1
        if traffic.operation_id == "listExecutions" and response.data:
            listed = response.data["executions"]
            turn = memory.get("turn", 0) % max(1, len(listed))
            response.data["executions"] = listed[turn:] + listed[:turn]

    return remembering(changed)


def growing(operation_id: str) -> Make:
    """Log each read as a run of its own."""

    def changed(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == operation_id and response.status == 200:
            memory["reads"] = memory.get("reads", 0) + 1
        if traffic.operation_id == "listExecutions" and response.data:
            page = response.data["pagination"]
            page["total_count"] += memory.get("reads", 0)
            page["total_pages"] = -(-page["total_count"] // page["page_size"])

    return remembering(changed)


# Lists


def _every_workflow(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and "page" not in traffic.query:
        others = traffic.send("/v1/workflows/wf_def456/executions").data["executions"]
        response.data["executions"] = others


def _second_page_of_others(traffic: Traffic, response: MutableResponse) -> None:
    is_later = traffic.query.get("page", "1") not in {"", "1"}
    if traffic.operation_id == "listExecutions" and response.data and is_later:
        size = traffic.query.get("page_size", "20")
        others = traffic.send(f"/v1/workflows/wf_def456/executions?page_size={size}")
        wanted = len(response.data["executions"])
        response.data["executions"] = others.data["executions"][:wanted]


def _some_lost(traffic: Traffic, response: MutableResponse) -> None:
    is_lost = sum(map(ord, traffic.ids.get("runId", ""))) % 5 == 0
    if traffic.operation_id == "getExecution" and response.status == 200 and is_lost:
        response.fail(404, "NOT_FOUND")


def _last_page_again(traffic: Traffic, response: MutableResponse) -> None:
    empty = response.data.get("executions") == []
    if traffic.operation_id == "listExecutions" and empty and traffic.query.get("page"):
        first = traffic.send(traffic.path)
        response.data["executions"] = first.data["executions"]


def _more_for_ever(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listWorkflows" and response.data:
        response.data["has_more"] = True


def _blames_first(run: JsonObject) -> None:
    done = [step for step in run["steps"] if step["status"] == "completed" and step["step_name"]]
    names = {step["step_name"] for step in run["steps"] if step["status"] == "failed"}
    if done and done[0]["step_name"] not in names:
        run["error"] = f"Step '{done[0]['step_name']}' failed: {run['error'].partition(': ')[2]}"


def _blames_first_everywhere(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.data.get("status") == "failed":
        _blames_first(response.data)


def _unknown_column(run: JsonObject) -> None:
    run["column_config"] = [
        *(run["column_config"] or []),
        {"id": "col_gone", "stepId": "deleted-9", "fieldPath": "result.output", "label": "Gone"},
    ]


def doubled_slash(application: Callable[..., Any]) -> Callable[..., Any]:
    """Merge slashes before routing."""
    import re

    def merged(environ: dict[str, Any], start: Any) -> Any:
        environ["PATH_INFO"] = re.sub("/{2,}", "/", environ["PATH_INFO"])
        return application(environ, start)

    return merged


def trailing_slash(application: Callable[..., Any]) -> Callable[..., Any]:
    """Cut everything from the last slash on if nothing follows it."""

    def cut(environ: dict[str, Any], start: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].rstrip("/")
        return application(environ, start)

    return cut


NO_END = {"ended_at": None, "duration_ms": None}
_NOTHING = fixed(lambda _traffic, _response: None)
_IDS = ("not-found", "identity")
_LIVE = ("reads", "listing", "status", "test-run")
F = ServerFault

FAULTS = (
    # Ended means ended
    F("completed-step-without-end", "Completed steps have no end.", ("status",),
      steps(lambda step: step.update(NO_END), "completed")),
    F("failed-step-without-end", "Failed steps have no end.", ("status",),
      steps(lambda step: step.update(NO_END), "failed")),
    F("last-step-without-end", "The last step's end is never written.", ("status",),
      detail(lambda run: run["steps"] and run["steps"][-1].update(NO_END), "completed")),
    F("iteration-without-end", "Steps in loops have no end.", ("status",),
      steps(lambda step: step.update(NO_END) if "iteration" in step else None, "completed")),
    F("step-duration-lost", "Steps have an end and no duration.", ("status",),
      steps(lambda step: step.update(duration_ms=None), "completed", "failed")),
    F("pending-start-null", "A pending step has no start.", ("shape",),
      steps(lambda step: step.update(started_at=None), "pending")),
    F("pending-start-empty", "A pending step starts at an empty text.", ("time", "shape"),
      steps(lambda step: step.update(started_at=""), "pending")),
    F("pending-start-absent", "A pending step lacks its start.", ("shape",),
      steps(lambda step: step.pop("started_at"), "pending")),
    F("pending-with-end", "A pending step has an end.", ("status",),
      steps(lambda step: step.update(ended_at=step["started_at"], duration_ms=0), "pending")),
    F("running-step-maps", "A running step has mapped values.", ("mapping",),
      steps(lambda step: step.update(mapped_output={"col_early": "x"}), "running", "pending")),
    F("completed-run-without-end", "A completed run has a duration and no end.", ("status",),
      detail(lambda run: run.update(ended_at=None), "completed")),
    F("failed-run-without-duration", "A failed run has no duration.", ("status",),
      detail(lambda run: run.update(duration_ms=None), "failed")),
    F("running-run-lasts-0", "A running run has a duration of 0.", ("status",),
      detail(lambda run: run.update(duration_ms=0), "running")),
    F("empty-step-id", "Step ids are empty.", ("identity", "definition"),
      steps(lambda step: step.update(step_id=""), "completed")),
    F("empty-log-id", "The id of the log is empty.", ("identity",),
      detail(lambda run: run.update(id=""))),
    F("blank-operation", "The operation of a step is blank.", ("identity", "definition"),
      steps(lambda step: step.update(operation=" "))),
    F("error-of-blanks", "The error of a failed run is a blank.", ("errors",),
      detail(lambda run: run.update(error=" "), "failed")),
    # Exactness of ids and keys
    F("run-id-any-case", "Run ids are compared without case.", _IDS,
      loose_id("runId", str.lower)),
    F("run-id-trimmed", "Blanks around a run id are removed.", _IDS, loose_id("runId", str.strip)),
    F("run-id-decoded-twice", "A run id is percent-decoded twice.", _IDS,
      loose_id("runId", _unquoted)),
    F("run-id-normalised", "Run ids are normalised to NFKC.", _IDS, loose_id("runId", _wide)),
    F("run-id-by-prefix", "Run ids are found by their beginning.", _IDS, by_prefix(6)),
    F("run-id-with-extension", "`.json` behind a run id is ignored.", _IDS,
      loose_id("runId", lambda value: value.removesuffix(".json"))),
    F("run-id-cut", "Run ids are cut to their column.", _IDS,
      loose_id("runId", lambda value: value[:10])),
    F("run-id-with-parameter", "`;…` behind a run id is ignored.", _IDS,
      loose_id("runId", lambda value: value.partition(";")[0])),
    F("workflow-id-any-case", "Workflow ids are compared without case.", _IDS,
      loose_id("id", str.lower)),
    F("workflow-id-trimmed", "Blanks around a workflow id are removed.", _IDS,
      loose_id("id", str.strip)),
    F("workflow-id-decoded-twice", "A workflow id is percent-decoded twice.", _IDS,
      loose_id("id", _unquoted)),
    F("slashes-merged", "Doubled slashes are one.", _IDS, _NOTHING, wrap=doubled_slash),
    F("slash-at-the-end", "A slash behind a run id is ignored.", _IDS, _NOTHING,
      wrap=trailing_slash),
    F("key-any-case", "Keys are compared without case.", ("auth",),
      loose_key(lambda key: key.lower() == KEY)),
    F("key-any-case-on-lists", "The list compares keys without case.", ("auth",),
      loose_key(lambda key: key.lower() == KEY, "listExecutions")),
    F("key-by-its-end", "Whatever ends in a key is one.", ("auth",),
      loose_key(lambda key: key.endswith(KEY))),
    F("key-by-its-beginning", "Whatever begins with a key is one.", ("auth",),
      loose_key(lambda key: key.startswith(KEY))),
    F("key-cut", "Keys are compared up to the shorter one.", ("auth",),
      loose_key(lambda key: KEY.startswith(key) and len(key) > 8)),
    F("key-decoded", "Keys are percent-decoded.", ("auth",),
      loose_key(lambda key: _unquoted(key) == KEY)),
    F("first-of-many-keys", "Of keys with commas, the first counts.", ("auth",),
      loose_key(lambda key: key.partition(",")[0] == KEY)),
    F("key-in-a-header", "A refused key is in a header.", ("auth",),
      echo(lambda response, key: response.headers.update({"X-Rejected-Key": key}))),
    F("key-in-details", "A refused key is in the details.", ("auth",),
      echo(lambda response, key: response.error.update(details={"received": {"key": key}}))),
    F("key-in-the-message", "A refused key is in the message.", ("auth",),
      echo(lambda response, key: response.error.update(message=f"{key} is not a key"))),
    F("key-in-capitals", "A refused key is in a suggestion, in capitals.", ("auth",),
      echo(lambda response, key: response.error.update(suggestion=f"Not {key.upper()}?"))),
    F("one-log-id-for-all", "All runs of a workflow have one log id.", ("identity",),
      detail(_same_log_id)),
    F("log-id-constant", "Every run has the same log id.", ("identity",),
      detail(lambda run: run.update(id="exec_1"))),
    # Success statuses and headers
    F("accepted-while-running", "A running run is 202.", ("http",),
      status("getExecution", 202, "running")),
    F("created-on-read", "A detail is 201.", ("http",), status("getExecution", 201)),
    F("partial-list", "A list is 206.", ("http",), status("listExecutions", 206)),
    F("accepted-balance", "The balance is 203.", ("http",), status("getCreditBalance", 203)),
    F("accepted-test", "A started test is 202.", ("http",), status("testWorkflow", 202),
      needs_writes=True),
    F("remaining-steady", "Remaining never falls.", ("rate-limit",), limited(_remaining_steady)),
    F("remaining-by-operation", "Each operation counts for itself.", ("rate-limit",),
      limited(_each_its_own)),
    F("details-not-counted", "Details are not counted.", ("rate-limit",), limited(_detail_free)),
    F("limit-by-operation", "The list has a limit of its own.", ("rate-limit",),
      limited(_limit_by_operation)),
    F("reset-steady", "Reset is always 60.", ("rate-limit",), headers("", RateLimit_Reset="60")),
    F("reset-too-soon", "Reset counts four times too fast.", ("rate-limit",),
      limited(_reset_too_soon)),
    # Living runs
    F("step-waits-again", "A running step is pending in every other read.", ("reads",),
      on_live(_step_back), starts=8),
    F("step-runs-again", "A completed step runs again.", ("reads",), on_live(_done_step_runs),
      starts=8),
    F("done-steps-dropped", "A running run shows no completed steps.", ("reads",),
      on_live(_drop_done), needs_writes=True),
    F("live-start-moves", "The start of a running run moves.", ("reads",), on_live(_start_moves),
      needs_writes=True),
    F("live-start-moves-unwritten", "The start of a run found running moves.", ("reads",),
      on_live(_start_moves), starts=8),
    F("detail-cached", "Details come from a cache of 20 seconds.", _LIVE, stale_detail(20),
      needs_writes=True),
    F("detail-cached-unwritten", "Details come from a cache of a minute.", _LIVE,
      stale_detail(60), starts=8),
    F("list-lags", "The list shows the end 30 seconds late.", _LIVE, stale_list(30),
      needs_writes=True),
    F("fails-after-the-end", "A completed run fails 2 seconds later.", ("reads",),
      after_the_end(2, _fail), needs_writes=True),
    F("fails-long-after-the-end", "A completed run fails 5 seconds later.", ("reads",),
      after_the_end(5, _fail), needs_writes=True),
    F("gone-after-the-end", "A run cannot be read any more once it has ended.", ("reads",),
      after_the_end(0, _gone), needs_writes=True),
    F("runs-after-the-end", "A completed run is running again after 3 seconds.", ("reads",),
      after_the_end(3, _runs_again), needs_writes=True),
    F("never-ends", "A run never ends though its steps have.", _LIVE, fixed(_never_ends),
      needs_writes=True),
    F("old-runs-never-end", "Some old runs are running for ever.", ("status",),
      fixed(_old_never_ends)),
    F("row-start-moves", "The start of a running row moves.", ("reads", "listing"),
      fixed(_row_start_moves), starts=8),
    F("row-goes-back", "Rows are running again in every other read.", ("reads", "listing"),
      fixed(_row_goes_back)),
    F("row-end-moves", "The end in the list moves with each read.", ("listing",),
      fixed(_row_end_moves)),
    # Side effects of reading
    F("list-costs", "Each list costs a credit.", ("cost",), charged("listExecutions")),
    F("variables-cost", "Variables cost a credit.", ("cost",), charged("getExecutionVariables")),
    F("catalogue-costs", "The catalogue costs two credits.", ("cost",),
      charged("listActions", amount=2)),
    F("balance-costs", "The balance costs a credit.", ("cost",), charged("getCreditBalance")),
    F("third-detail-costs", "Every third detail costs a credit.", ("cost",),
      charged("getExecution", every=3)),
    F("detail-reorders", "A read of a detail changes the order of the list.", ("listing",),
      reordered("getExecution")),
    F("variables-reorder", "A read of variables changes the order of the list.", ("listing",),
      reordered("getExecutionVariables")),
    F("catalogue-is-a-run", "A read of the catalogue counts as a run.", ("listing",),
      growing("listActions")),
    F("variables-are-a-run", "A read of variables counts as a run.", ("listing",),
      growing("getExecutionVariables")),
    # Warnings whose source is a sentence
    F("default-page-of-others", "The default page shows another workflow's runs.", ("listing",),
      fixed(_every_workflow)),
    F("later-pages-of-others", "Later pages show another workflow's runs.", ("listing",),
      fixed(_second_page_of_others)),
    F("a-fifth-is-lost", "A fifth of all listed runs is a 404.", ("listing",), fixed(_some_lost)),
    F("first-page-beyond-the-end", "Beyond the end stands the first page.", ("listing",),
      fixed(_last_page_again)),
    F("more-for-ever", "`has_more` of workflows is always true.", ("listing",),
      fixed(_more_for_ever)),
    F("another-step-blamed", "The error names a step that completed.", ("errors",),
      fixed(_blames_first_everywhere)),
    F("column-of-nothing", "A column names a step that never was.", ("definition", "mapping"),
      detail(_unknown_column)),
)  # fmt: skip
"""Every fault of this module."""
