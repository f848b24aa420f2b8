"""A page of another origin uses the mock from a browser: it reads, starts, controls and resets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deadringer.mockserver import DEMO_KEY
from tests.threads import served_files

pytestmark = pytest.mark.slow

REQUEST = """
async ([base, method, path, body, headers]) => {
  const response = await fetch(base + path, {
    method, headers, body: body === null ? undefined : JSON.stringify(body),
  });
  return {
    status: response.status,
    body: await response.json(),
    remaining: response.headers.get("RateLimit-Remaining"),
    applied: response.headers.get("Preference-Applied"),
  };
}
"""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """The origin of a page that is not the mock's."""
    (tmp_path / "index.html").write_text(
        "<!doctype html><title>frontend</title><link rel=icon href=data:,>", "utf-8"
    )
    with served_files(tmp_path) as url:
        yield url


@pytest.fixture
def send(start_mock, origin, page):
    """Return a function that sends a request from the page; it returns what the page may read."""
    base = start_mock("--speed", "10")
    page.goto(f"{origin}/index.html")

    def fetch(method, path, body=None, **headers):
        key = {"x-api-key": DEMO_KEY} if path.startswith("/v1") else {}
        typed = {"Content-Type": "application/json"} if body is not None else {}
        return page.evaluate(REQUEST, [base, method, path, body, {**key, **typed, **headers}])

    return fetch


def test_the_whole_story_from_another_origin(send, watch):
    workflows = send("GET", "/v1/workflows?limit=100")["body"]["data"]["items"]
    listed = send("GET", "/v1/workflows/wf_def456/executions?page_size=100")
    rows = listed["body"]["data"]["executions"]
    failed = next(row["run_id"] for row in rows if row["status"] == "failed")
    opened = send("GET", f"/v1/workflows/wf_def456/executions/{failed}")["body"]["data"]
    assert len(workflows) >= 12
    assert listed["remaining"] is not None
    assert opened["status"] == "failed"
    assert opened["error"]

    started = send("POST", "/v1/workflows/wf_abc123/test", {"overrides": {"likes": 7}})
    run = started["body"]["data"]["test_run_id"]
    seen = [send("GET", f"/v1/workflows/wf_abc123/executions/{run}")["body"]["data"]["status"]]
    while seen[-1] == "running":
        send("POST", "/__mock/clock/advance", {"seconds": 1})
        path = f"/v1/workflows/wf_abc123/executions/{run}"
        seen.append(send("GET", path)["body"]["data"]["status"])
    assert seen[-1] in {"completed", "failed"}

    send("POST", "/__mock/faults", {"kind": "status", "status": 503, "count": 3})
    statuses = [send("GET", "/v1/credits/balance")["status"] for _ in range(4)]
    assert statuses == [503, 503, 503, 200]

    frozen = send("PUT", "/__mock/clock", {"now": "2026-03-27T10:15:00Z", "speed": 0})["body"]
    assert frozen["mode"] == "frozen"
    assert send("POST", "/__mock/reset")["body"]["clock"]["mode"] == "running"

    # The browser reports each 503 in its console; there must be no other error.
    assert len(watch.wrongs) == 3
    assert all("503" in wrong for wrong in watch.wrongs)
    watch.forgive("status of 503")


def test_headers_of_ones_own_pass_the_preflight(send):
    path = "/v1/workflows/wf_abc123/executions/run_any"
    headers = {"Prefer": "status=failed", "X-Mock-Session": "one"}

    response = send("GET", path, **headers)
    put = send("PUT", "/__mock/contract-faults/duration-in-seconds", **{"X-Mock-Session": "one"})
    deleted = send("DELETE", "/__mock/contract-faults", **{"X-Mock-Session": "one"})
    patched = send(
        "PATCH", "/__mock/workflows/wf_abc123/executions/run_x7k9m2?force=true", {"error": "x"}
    )

    assert (response["status"], response["applied"]) == (200, "status=failed")
    assert [one["status"] for one in (put, deleted, patched)] == [200, 200, 200]
