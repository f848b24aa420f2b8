"""A service of the API, independent of the project, with the data of a person in its runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.threads import served

WORKFLOW_ID = "Kq7ZtGXR8_Z5jdHi6B-wT"
SECRETS = ("Josephine", "Baker-Okafor", "josephine@okafor-trading.biz", WORKFLOW_ID, "run_9f31c2d7")
_NAME = "Josephine Baker-Okafor"
_PLAN: dict[str, Any] = {
    "trigger": {"kind": "workflows/new-post", "inputs": {}},
    "actions": [
        {"id": "find", "kind": "person_enrichment", "name": "Find the person", "inputs": {}},
        {"id": "greet", "kind": "generic_agent", "name": "Greet", "inputs": {}},
    ],
    "edges": [{"from": "$source", "to": "find"}, {"from": "find", "to": "greet"}],
}
_WORKFLOW = {
    "id": WORKFLOW_ID,
    "name": "Greet new customers",
    "description": None,
    "workflow": _PLAN,
    "enabled": True,
    "status": "PUBLISHED",
    "social_saved_search_id": None,
    "created": "2026-03-01T08:00:00.000Z",
    "updated": "2026-03-01T08:00:00.000Z",
}


def _step(number: int, step_id: str, **changes: object) -> dict[str, Any]:
    action = _PLAN["actions"][number]
    return {
        "step_id": step_id,
        "step_name": action["name"],
        "operation": action["kind"],
        "status": "completed",
        "started_at": f"2026-03-27T10:15:0{number}.100Z",
        "ended_at": f"2026-03-27T10:15:0{number}.900Z",
        "duration_ms": 800,
        "input": {},
        "output": None,
        "mapped_output": None,
        "error": None,
        **changes,
    }


def _run(run_id: str, *, is_over: bool) -> dict[str, Any]:
    person = {"full_name": _NAME, "email": "josephine@okafor-trading.biz"}
    greeting = {"result": {"output": f"Hello {_NAME}, welcome!"}}
    live = {"status": "running", "ended_at": None, "duration_ms": None}
    return {
        "id": f"exec_{run_id[4:]}",
        "run_id": run_id,
        "workflow_id": WORKFLOW_ID,
        "status": "completed" if is_over else "running",
        "started_at": "2026-03-27T10:15:00.000Z",
        "ended_at": "2026-03-27T10:15:02.000Z" if is_over else None,
        "duration_ms": 2000 if is_over else None,
        "event_name": "workflows/new-post",
        "created": "2026-03-27T10:15:00.000Z",
        "column_config": None,
        "steps": [
            _step(0, "find", output=person),
            _step(1, "greet", **({"output": greeting} if is_over else live)),
        ],
        "error": None,
    }


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        runs = self.server.runs
        below = f"/v1/workflows/{WORKFLOW_ID}"
        if "x-api-key" not in self.headers:
            self._send(401, {"message": "Unauthorized", "error": "Invalid or missing API key"})
        elif path == "/v1/workflows":
            self._send_data({"items": [_WORKFLOW], "has_more": False, "total": 1})
        elif path == f"{below}/executions":
            self._send_data(self._page(query))
        elif path.startswith(f"{below}/executions/") and path.rpartition("/")[2] in runs:
            self._send_data(self._detail(path.rpartition("/")[2]))
        else:
            error = {"code": "NOT_FOUND", "message": "No run", "details": None, "suggestion": None}
            self._send(404, {"success": False, "error": error})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.runs["run_started0001"] = 2
        data = {
            "test_run_id": "run_started0001",
            "workflow_id": WORKFLOW_ID,
            "trigger_type": "workflows/new-post",
        }
        self._send_data(data)

    def _page(self, query: str) -> dict[str, Any]:
        rows = [
            {
                "run_id": run_id,
                "status": "running" if reads else "completed",
                "started_at": "2026-03-27T10:15:00.000Z",
                "completed_at": None if reads else "2026-03-27T10:15:02.000Z",
                "duration": None if reads else 2000,
                "error": None,
            }
            for run_id, reads in self.server.runs.items()
        ]
        size = int(parse_qs(query).get("page_size", ["20"])[0])
        pages = {"page": 1, "page_size": size, "total_count": len(rows), "total_pages": 1}
        return {"executions": rows, "pagination": pages}

    def _detail(self, run_id: str) -> dict[str, Any]:
        reads = self.server.runs[run_id]
        self.server.runs[run_id] = max(0, reads - 1)
        return _run(run_id, is_over=reads == 0)

    def _send_data(self, data: dict[str, Any]) -> None:
        self._send(200, {"success": True, "message": "ok", "data": data})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (("Limit", 100), ("Remaining", 90), ("Reset", 60)):
            self.send_header(f"RateLimit-{name}", str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Service)
        self.runs = {"run_9f31c2d7": 0, "run_77aa01bb": 0}
        """By run id, how many more reads show it running."""


@contextmanager
def real_service() -> Iterator[str]:
    """Serve it until the end of the block; the value is its URL."""
    with served(_Server()) as url:
        yield url
