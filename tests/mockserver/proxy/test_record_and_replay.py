"""The proxy records what passes, and responds from the recording in place of the upstream."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deadringer.contracts.check import Access
from deadringer.fixtures import Sanitizer, load_folder
from deadringer.mockserver import DEMO_KEY
from deadringer.mockserver.proxy.recording import TrafficRecording
from deadringer.mockserver.proxy.recording_folder import RecordingFolder
from deadringer.mockserver.proxy.replay import Replay
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN

from .exchanges import RUN, RUN_PATH, RUNNING, exchange, har_text
from .serving import DEMO, Handler, Proxy, mocking, plain_server, proxying

UNREACHABLE = "http://127.0.0.1:9"
JSON = ("Content-Type", "application/json")
LIST = "/v1/workflows/wf_abc123/executions"


def read(url: str, path: str = RUN_PATH, method: str = "GET", **options: Any) -> httpx.Response:
    headers = {**DEMO, **options.pop("headers", {})}
    return httpx.request(method, url + path, headers=headers, verify=NO_TLS, **options)


@contextmanager
def recording(upstream: str, folder: Path, **options: Any) -> Iterator[Proxy]:
    """Run a proxy that records."""
    sanitizer = options.pop("sanitizer", None)
    growing = TrafficRecording(
        RecordingFolder(folder), upstream, sanitizer, access=options.get("access")
    )
    with proxying(upstream, observers=[growing.observe], **options) as proxy:
        yield proxy
    growing.close()


@contextmanager
def replaying(place: Path, upstream: str | None = None, **options: Any) -> Iterator[Proxy]:
    """Run a proxy that replays."""
    replay = Replay.load(place, always=upstream is None)
    with proxying(upstream or UNREACHABLE, replay=replay, **options) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a run that was polled until it had ended."""
    file = tmp_path_factory.mktemp("har") / "polled.har"
    file.write_text(har_text(exchange(RUN_PATH, RUNNING), exchange(RUN_PATH, RUN)))
    return file


@pytest.fixture(scope="module")
def offline(polled: Path) -> Iterator[str]:
    """The URL of a proxy without an upstream."""
    with replaying(polled) as proxy:
        yield proxy.url


def status(url: str, **headers: str) -> object:
    return read(url, headers=headers).json()["data"]["status"]


def test_what_the_mock_returned_is_replayed_byte_by_byte(tmp_path: Path) -> None:
    paths = ["/v1/workflows", LIST, f"{LIST}?page=2&page_size=3", KNOWN, "/v1/workflows/actions"]
    with mocking() as mock, recording(mock, tmp_path) as proxy:
        live = [read(proxy.url, path) for path in paths]

    with replaying(tmp_path) as proxy:
        again = [read(proxy.url, path) for path in paths]

    assert [one.status_code for one in live] == [200] * len(paths)
    assert [one.content for one in again] == [one.content for one in live]
    for name in ("content-type", "ratelimit-remaining", "cache-control"):
        assert [one.headers.get(name) for one in again] == [one.headers.get(name) for one in live]
    assert [one.headers["deadringer-replay"] for one in again] == ["1/1"] * len(paths)
    assert DEMO_KEY not in "".join(one.read_text() for one in tmp_path.iterdir())


def test_ids_of_sanitized_lists_lead_to_sanitized_details(tmp_path: Path) -> None:
    with mocking() as mock, recording(mock, tmp_path, sanitizer=Sanitizer()) as proxy:
        runs = read(proxy.url, LIST).json()["data"]["executions"][:2]
        for run in runs:
            read(proxy.url, f"{LIST}/{run['run_id']}")
        read(proxy.url, "/v1/workflows/wf_abc123")

    assert len(load_folder(tmp_path).executions) == 2
    (workflow,) = load_folder(tmp_path).workflows
    below = f"/v1/workflows/{workflow.workflow['id']}/executions"
    with replaying(tmp_path) as proxy:
        listed = read(proxy.url, below).json()["data"]["executions"][:2]
        details = [read(proxy.url, f"{below}/{one['run_id']}").json()["data"] for one in listed]

    assert [one["status"] for one in details] == [one["status"] for one in runs]
    assert [one["run_id"] for one in details] == [one["run_id"] for one in listed]


def test_a_compressed_response_is_recorded_as_text(tmp_path: Path) -> None:
    body = json.dumps({"success": True, "message": "ok", "data": RUN}).encode()
    headers = [JSON, ("Content-Encoding", "gzip")]
    with (
        plain_server(lambda one: one.reply(200, headers, gzip.compress(body))) as real,
        recording(real.url, tmp_path) as proxy,
    ):
        read(proxy.url)

    with replaying(tmp_path) as proxy:
        response = read(proxy.url)

    assert "content-encoding" not in response.headers
    assert response.content == body
    assert [one.execution for one in load_folder(tmp_path).executions] == [RUN]


def test_a_key_that_the_proxy_adds_is_neither_recorded_nor_needed(tmp_path: Path) -> None:
    secret = "the-key-of-the-team"
    access = Access(headers=(("authorization", f"Bearer {secret}"), ("x-team", "blue-team-7")))

    def respond(one: Handler) -> None:
        one.reply(200, [JSON], json.dumps({"data": {"seen": [*one.headers.values()]}}).encode())

    with (
        plain_server(respond) as real,
        recording(real.url, tmp_path, access=access) as proxy,
    ):
        assert secret in httpx.get(proxy.url + RUN_PATH, verify=NO_TLS).text

    with replaying(tmp_path) as proxy:
        assert httpx.get(proxy.url + RUN_PATH, verify=NO_TLS).status_code == 200
    text = (tmp_path / "recording.har").read_text()
    assert secret not in text
    assert "blue-team-7" not in text


def test_a_polled_run_moves_on_in_each_session_and_again_after_a_reset(offline: str) -> None:
    first = [status(offline) for _ in range(3)]
    other = status(offline, **{"X-Mock-Session": "other"})
    httpx.post(f"{offline}/__mock/reset", verify=NO_TLS).raise_for_status()

    assert first == ["running", "completed", "completed"]
    assert [other, status(offline)] == ["running", "running"]


def test_the_recording_responds_where_the_upstream_cannot_be_reached(polled: Path) -> None:
    with replaying(polled, UNREACHABLE) as proxy:
        found = read(proxy.url)
        missing = read(proxy.url, f"{RUN_PATH}x")

    assert (found.status_code, found.headers["deadringer-replay"]) == (200, "1/2")
    error = missing.json()["error"]
    assert (missing.status_code, error["code"]) == (502, "NOT_RECORDED")
    assert error["message"].endswith("and the upstream sent no response: connection refused")


def test_an_upstream_that_responds_or_breaks_off_is_not_replaced(polled: Path) -> None:
    with (
        plain_server(lambda one: one.reply(503, [JSON], b"{}")) as real,
        replaying(polled, real.url) as proxy,
    ):
        busy = read(proxy.url)
        real.handle = lambda one: one.wfile.write(b"HTTP/1.1 2OO ?\r\n\r\n")
        malformed = read(proxy.url)

    assert (busy.status_code, "deadringer-replay" in busy.headers) == (503, False)
    assert malformed.json()["error"]["code"] == "BAD_GATEWAY"


def test_an_unknown_request_gets_a_502_that_no_cache_stores(offline: str) -> None:
    response = read(offline, f"{RUN_PATH}?verbose={DEMO_KEY}")

    error = response.json()["error"]
    assert (response.status_code, response.headers["cache-control"]) == (502, "no-store")
    (near,) = error["details"]["nearest"]
    assert near["request"] == f"GET {RUN_PATH}"
    assert near["differs"][0].startswith("query verbose: recorded nothing, got")
    assert "record DIR" in error["suggestion"]
    assert DEMO_KEY not in response.text


def test_a_request_without_a_key_gets_the_401_of_the_service(offline: str) -> None:
    response = httpx.get(offline + RUN_PATH, verify=NO_TLS)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "AUTH_REQUIRED")


def test_head_and_conditional_requests_are_those_of_http(tmp_path: Path) -> None:
    file = tmp_path / "one.har"
    headers = {"content-type": "application/json", "etag": '"x"'}
    file.write_text(har_text(exchange(RUN_PATH, RUN, response_headers=headers)))

    with replaying(file) as proxy:
        full = read(proxy.url)
        head = read(proxy.url, method="HEAD")
        again = read(proxy.url, headers={"If-None-Match": full.headers["etag"]})

    assert (head.status_code, head.content, again.status_code) == (200, b"", 304)
    assert (again.content, again.headers["etag"]) == (b"", full.headers["etag"])
    assert head.headers["content-type"] == "application/json"


def test_other_origins_can_read_a_replay(offline: str) -> None:
    origin = {"Origin": "http://localhost:5173"}
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}

    preflight = read(offline, method="OPTIONS", headers=origin | asks)
    response = read(offline, headers=origin)

    assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()
    assert response.headers["access-control-allow-origin"] == origin["Origin"]
    assert "Deadringer-Replay" in response.headers["access-control-expose-headers"]


def test_faults_apply_to_recorded_responses(polled: Path) -> None:
    with replaying(polled) as proxy:
        session = {"X-Mock-Session": "faults"}
        broken = read(proxy.url, headers={**session, "Prefer": "fault=error-503"})
        read(proxy.url, headers=session)
        wrong = read(proxy.url, headers={**session, "Prefer": "fault=duration-in-seconds"})

    assert broken.status_code == 503
    assert wrong.json()["data"]["duration_ms"] == 4  # seconds


def test_replayed_responses_are_in_the_journal_and_on_the_trace_page(offline: str) -> None:
    read(offline)

    entries = httpx.get(f"{offline}/__mock/journal", verify=NO_TLS).json()
    page = httpx.get(f"{offline}/__mock/ui/runs/wf_real/run_real", verify=NO_TLS)

    assert RUN_PATH in json.dumps(entries)
    assert DEMO_KEY not in json.dumps(entries)
    assert (page.status_code, "run_real" in page.text) == (200, True)


def test_a_path_that_is_not_of_the_api_needs_no_key_to_be_unknown(offline: str) -> None:
    response = httpx.get(f"{offline}/favicon.ico", verify=NO_TLS)

    assert (response.status_code, response.json()["error"]["code"]) == (502, "NOT_RECORDED")
