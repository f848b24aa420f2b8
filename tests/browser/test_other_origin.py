"""A page on another origin works the mock from a browser: reads, starts, steers and resets it."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deadringer.mockserver import DEMO_KEY

pytestmark = pytest.mark.slow

ASK = """
async ([base, method, path, body, headers]) => {
  const answer = await fetch(base + path, {
    method, headers, body: body === null ? undefined : JSON.stringify(body),
  });
  return {
    status: answer.status,
    body: await answer.json(),
    remaining: answer.headers.get("RateLimit-Remaining"),
    applied: answer.headers.get("Preference-Applied"),
  };
}
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        """Nobody reads it."""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """The URL of a page that is not the mock's."""
    (tmp_path / "index.html").write_text(
        "<!doctype html><title>frontend</title><link rel=icon href=data:,>", "utf-8"
    )
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(start_mock, origin, page):
    """Let the page send one request to the mock; give status, body and headers it may read."""
    base = start_mock("--speed", "10")
    page.goto(f"{origin}/index.html")

    def send(method, path, body=None, **headers):
        key = {"x-api-key": DEMO_KEY} if path.startswith("/v1") else {}
        typed = {"Content-Type": "application/json"} if body is not None else {}
        return page.evaluate(ASK, [base, method, path, body, {**key, **typed, **headers}])

    return send


def test_the_whole_story_from_another_origin(ask, watch):
    workflows = ask("GET", "/v1/workflows?limit=100")["body"]["data"]["items"]
    listed = ask("GET", "/v1/workflows/wf_def456/executions?page_size=100")
    rows = listed["body"]["data"]["executions"]
    failed = next(row["run_id"] for row in rows if row["status"] == "failed")
    opened = ask("GET", f"/v1/workflows/wf_def456/executions/{failed}")["body"]["data"]
    assert len(workflows) >= 12
    assert listed["remaining"] is not None
    assert opened["status"] == "failed"
    assert opened["error"]

    started = ask("POST", "/v1/workflows/wf_abc123/test", {"overrides": {"likes": 7}})
    run = started["body"]["data"]["test_run_id"]
    seen = [ask("GET", f"/v1/workflows/wf_abc123/executions/{run}")["body"]["data"]["status"]]
    while seen[-1] == "running":
        ask("POST", "/__mock/clock/advance", {"seconds": 1})
        path = f"/v1/workflows/wf_abc123/executions/{run}"
        seen.append(ask("GET", path)["body"]["data"]["status"])
    assert seen[-1] in {"completed", "failed"}

    ask("POST", "/__mock/faults", {"kind": "status", "status": 503, "count": 3})
    statuses = [ask("GET", "/v1/credits/balance")["status"] for _ in range(4)]
    assert statuses == [503, 503, 503, 200]

    frozen = ask("PUT", "/__mock/clock", {"now": "2026-03-27T10:15:00Z", "speed": 0})["body"]
    assert frozen["mode"] == "frozen"
    assert ask("POST", "/__mock/reset")["body"]["clock"]["mode"] == "running"

    # The browser tells of each 503 in its console; nothing else may be wrong.
    assert len(watch.wrongs) == 3
    assert all("503" in wrong for wrong in watch.wrongs)
    watch.forgive("status of 503")


def test_headers_of_ones_own_pass_the_preflight(ask):
    path = "/v1/workflows/wf_abc123/executions/run_any"
    headers = {"Prefer": "status=failed", "X-Mock-Session": "one"}

    response = ask("GET", path, **headers)
    put = ask("PUT", "/__mock/contract-faults/duration-in-seconds", **{"X-Mock-Session": "one"})
    kept = ask("DELETE", "/__mock/contract-faults", **{"X-Mock-Session": "one"})
    patched = ask(
        "PATCH", "/__mock/workflows/wf_abc123/executions/run_x7k9m2?force=true", {"error": "x"}
    )

    assert (response["status"], response["applied"]) == (200, "status=failed")
    assert [one["status"] for one in (put, kept, patched)] == [200, 200, 200]
