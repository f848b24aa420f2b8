"""What faulty servers do: exactness, living runs, limits, side effects, lists.

Bugs of time remember what was sent before, so each server gets a change with a state of its own.
"""

import copy
import time
import zlib
from collections.abc import Callable
from typing import Any

from deadringer.contracts import JsonObject
from deadringer.fixtures.edits import moved
from deadringer.mockserver.faults.contract import MutableResponse, Traffic

from .faulty_server import Change, Make, fixed

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


def wide(value: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", value)


def unquoted(value: str) -> str:
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


def same_log_id(run: JsonObject) -> None:
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


def step_back(run: JsonObject, count: int) -> None:
    for step in run["steps"]:
        if step["status"] == "running" and count % 2:
            step["status"] = "pending"


def done_step_runs(run: JsonObject, count: int) -> None:
    for step in run["steps"]:
        if step["status"] == "completed" and count % 4 == 3:
            step.update(status="running", ended_at=None, duration_ms=None, output=None)
            step["mapped_output"] = None


def drop_done(run: JsonObject, _count: int) -> None:
    run["steps"] = [step for step in run["steps"] if step["status"] != "completed"]


def start_moves(run: JsonObject, count: int) -> None:
    run["started_at"] = moved(run["started_at"], 40 * count)
    run["created"] = moved(run["created"], 40 * count)


def never_ends(traffic: Traffic, response: MutableResponse) -> None:
    if _is_live(traffic, response) and response.data["status"] == "completed":
        response.data.update(status="running", ended_at=None, duration_ms=None)
    if traffic.operation_id == "listExecutions" and response.data:
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 600))
        for row in response.data["executions"]:
            if row["status"] == "completed" and row["started_at"][:10] >= day:
                row.update(status="running", completed_at=None, duration=None)


def old_never_ends(traffic: Traffic, response: MutableResponse) -> None:
    last = "abcdefgh"
    run = response.data if traffic.operation_id == "getExecution" else {}
    if run and run["run_id"][-1] in last and run["status"] == "completed" and run["steps"]:
        run.update(status="running", ended_at=None, duration_ms=None)
    if traffic.operation_id == "listExecutions" and response.data:
        for row in response.data["executions"]:
            if row["status"] == "completed" and row["run_id"][-1] in last:
                row.update(status="running", completed_at=None, duration=None)


def row_start_moves(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data:
        for row in response.data["executions"]:
            if row["status"] == "running":
                row["started_at"] = moved(row["started_at"], 100 * traffic.count)


def row_goes_back(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and traffic.count % 2:
        for row in response.data["executions"][:3]:
            if row["status"] == "completed":
                row.update(status="running", completed_at=None, duration=None)


def row_end_moves(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and traffic.count:
        for row in response.data["executions"]:
            if row["status"] == "completed":
                row["completed_at"] = moved(row["completed_at"], traffic.count)
                row["duration"] += traffic.count


def fail(response: MutableResponse) -> None:
    response.data.update(status="failed", error="Step 'Send Summary' failed: timed out")
    if response.data["steps"]:
        response.data["steps"][-1].update(
            status="failed", error="timed out", output=None, mapped_output=None
        )


def gone(response: MutableResponse) -> None:
    response.fail(404, "NOT_FOUND")


def runs_again(response: MutableResponse) -> None:
    response.data.update(status="running", ended_at=None, duration_ms=None)


# Limits


def limited(change: Callable[[dict[str, Any], Traffic, MutableResponse], None]) -> Make:
    """Change rate-limit headers with a memory."""
    return remembering(change)


def remaining_steady(_memory: dict[Any, Any], _traffic: Traffic, response: MutableResponse) -> None:
    response.headers["RateLimit-Remaining"] = "99"


def each_its_own(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
    count = memory[traffic.operation_id] = memory.get(traffic.operation_id, 0) + 1
    limit = int(response.headers.get("RateLimit-Limit", 100))
    response.headers["RateLimit-Remaining"] = str(max(0, limit - count))


def detail_free(memory: dict[Any, Any], traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id != "getExecution":
        memory["count"] = memory.get("count", 0) + 1
    limit = int(response.headers.get("RateLimit-Limit", 100))
    response.headers["RateLimit-Remaining"] = str(max(0, limit - memory.get("count", 0)))


def limit_by_operation(
    _memory: dict[Any, Any], traffic: Traffic, response: MutableResponse
) -> None:
    if traffic.operation_id == "listExecutions":
        response.headers["RateLimit-Limit"] = "5000"
        response.headers["RateLimit-Remaining"] = "4000"


def reset_too_soon(memory: dict[Any, Any], _traffic: Traffic, response: MutableResponse) -> None:
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


def every_workflow(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and "page" not in traffic.query:
        others = traffic.send("/v1/workflows/wf_def456/executions").data["executions"]
        response.data["executions"] = others


def second_page_of_others(traffic: Traffic, response: MutableResponse) -> None:
    is_later = traffic.query.get("page", "1") not in {"", "1"}
    if traffic.operation_id == "listExecutions" and response.data and is_later:
        size = traffic.query.get("page_size", "20")
        others = traffic.send(f"/v1/workflows/wf_def456/executions?page_size={size}")
        wanted = len(response.data["executions"])
        response.data["executions"] = others.data["executions"][:wanted]


def some_lost(traffic: Traffic, response: MutableResponse) -> None:
    is_lost = zlib.crc32(traffic.ids.get("runId", "").encode()) % 5 == 0
    if traffic.operation_id == "getExecution" and response.status == 200 and is_lost:
        response.fail(404, "NOT_FOUND")


def last_page_again(traffic: Traffic, response: MutableResponse) -> None:
    empty = response.data.get("executions") == []
    if traffic.operation_id == "listExecutions" and empty and traffic.query.get("page"):
        first = traffic.send(traffic.path)
        response.data["executions"] = first.data["executions"]


def more_for_ever(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listWorkflows" and response.data:
        response.data["has_more"] = True


def _blames_first(run: JsonObject) -> None:
    done = [step for step in run["steps"] if step["status"] == "completed" and step["step_name"]]
    names = {step["step_name"] for step in run["steps"] if step["status"] == "failed"}
    if done and done[0]["step_name"] not in names:
        run["error"] = f"Step '{done[0]['step_name']}' failed: {run['error'].partition(': ')[2]}"


def blames_first_everywhere(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.data.get("status") == "failed":
        _blames_first(response.data)


def unknown_column(run: JsonObject) -> None:
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
