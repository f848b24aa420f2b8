"""A server independent of the mock: the detail endpoint over real HTTP, correct or faulty."""

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
Reply = tuple[int, bytes]


@dataclass
class SmallServer:
    """The URL of a running server, and every request it received as (method, path, key)."""

    url: str
    requests: list[tuple[str, str, str]] = field(default_factory=list)


def error(status: int, code: str) -> Reply:
    body = {"code": code, "message": "No.", "details": None, "suggestion": None}
    return status, json.dumps({"success": False, "error": body}).encode()


def good(execution: object) -> Reply:
    return 200, json.dumps({"success": True, "data": execution}).encode()


def respond_correctly(path: str, key: str) -> Reply:
    """Return the response that the contract requires."""
    if key != KEY:
        return error(401, "INVALID_API_KEY" if key else "AUTH_REQUIRED")
    parts = [unquote(part) for part in urlsplit(path).path.split("/")]
    if parts[:3] != ["", "v1", "workflows"] or len(parts) != 6 or parts[4] != "executions":
        return error(404, "NOT_FOUND")
    execution = EXECUTIONS.get((parts[3], parts[5]))
    return good(execution) if execution else error(404, "NOT_FOUND")


def ignore_the_key(path: str, key: str) -> Reply:
    """Respond without checking the key."""
    return respond_correctly(path, KEY)


def fail_on_long_ids(path: str, key: str) -> Reply:
    """Return 500 for unknown ids of more than 20 characters."""
    status, body = respond_correctly(path, key)
    is_long = any(len(unquote(part)) > 20 for part in path.split("/"))
    return error(500, "INTERNAL") if status == 404 and is_long else (status, body)


def send_seconds(path: str, key: str) -> Reply:
    """Return the duration of a run in seconds."""
    status, body = respond_correctly(path, key)
    if status != 200:
        return status, body
    execution = json.loads(body)["data"]
    return good({**execution, "duration_ms": (execution["duration_ms"] or 0) // 1000 or None})


def hang_up(path: str, key: str) -> Reply:
    """Close the connection without a response."""
    return 0, b""


def redirect_elsewhere(path: str, key: str) -> Reply:
    """Redirect every request to another host."""
    return 302, b""


@contextmanager
def serving(
    respond: Callable[[str, str], Reply] = respond_correctly,
) -> Iterator[SmallServer]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet per response, without waiting for acknowledgements

        def respond(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            bearer = self.headers.get("authorization", "").removeprefix("Bearer").strip()
            key = self.headers.get("x-api-key", "") or bearer
            small.requests.append((self.command, self.path, key))
            status, body = respond(self.path, key)
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

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Log nothing."""

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
