"""A server written without our server: the detail endpoint over real HTTP, right or broken."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from deadringer.fixtures import load_recordings

KEY = "trig_small_server_key"
EXECUTIONS = {
    (one.execution["workflow_id"], one.execution["run_id"]): one.execution
    for one in load_recordings()
}
Answer = tuple[int, bytes]


@dataclass
class SmallServer:
    """The address of a running server, and every request it got as (method, path, key)."""

    url: str
    requests: list[tuple[str, str, str]] = field(default_factory=list)


def error(status: int, code: str) -> Answer:
    body = {"code": code, "message": "No.", "details": None, "suggestion": None}
    return status, json.dumps({"success": False, "error": body}).encode()


def good(execution: object) -> Answer:
    return 200, json.dumps({"success": True, "data": execution}).encode()


def answer_well(path: str, key: str) -> Answer:
    """Answer as the contract says."""
    if key != KEY:
        return error(401, "INVALID_API_KEY" if key else "AUTH_REQUIRED")
    parts = [unquote(part) for part in urlsplit(path).path.split("/")]
    if parts[:3] != ["", "v1", "workflows"] or len(parts) != 6 or parts[4] != "executions":
        return error(404, "NOT_FOUND")
    execution = EXECUTIONS.get((parts[3], parts[5]))
    return good(execution) if execution else error(404, "NOT_FOUND")


def answer_without_key(path: str, key: str) -> Answer:
    """Forget to look at the key."""
    return answer_well(path, KEY)


def fail_on_long_ids(path: str, key: str) -> Answer:
    """Fall over ids of more than 20 characters that do not exist."""
    status, body = answer_well(path, key)
    is_long = any(len(unquote(part)) > 20 for part in path.split("/"))
    return error(500, "INTERNAL") if status == 404 and is_long else (status, body)


def tell_seconds(path: str, key: str) -> Answer:
    """Tell the duration of a run in seconds."""
    status, body = answer_well(path, key)
    if status != 200:
        return status, body
    execution = json.loads(body)["data"]
    return good({**execution, "duration_ms": (execution["duration_ms"] or 0) // 1000 or None})


def hang_up(path: str, key: str) -> Answer:
    """Close the connection instead of a response."""
    return 0, b""


def redirect_elsewhere(path: str, key: str) -> Answer:
    """Send everybody to another host."""
    return 302, b""


@contextmanager
def serving(answer: Callable[[str, str], Answer] = answer_well) -> Iterator[SmallServer]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for each response: no waiting for acknowledgements

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            bearer = self.headers.get("authorization", "").removeprefix("Bearer").strip()
            key = self.headers.get("x-api-key", "") or bearer
            small.requests.append((self.command, self.path, key))
            status, body = answer(self.path, key)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 302:
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    small = SmallServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield small
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
