"""Coverage of the mock: every documented line produces its item, and nothing seen is lost."""

import contextlib
import itertools
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from deadringer.contracts import Failure, operations
from deadringer.contracts.coverage import Address, coverage_items, curl_line, situations, transport
from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.api.middleware import coverage as module
from deadringer.mockserver.api.middleware.coverage import Coverage, SentResponse
from deadringer.mockserver.app import build_app
from deadringer.mockserver.control_spec import control_operations, response_validator
from tests.machine import NO_TLS, give_up
from tests.mockserver.conftest import DEMO, KNOWN

SITUATIONS = [one.item for one in situations()]
RESPONSES = [item for item in coverage_items().values() if item not in SITUATIONS]
A_SECOND = {"situations/slow_response", "situations/no_response"}
"""What takes so long to produce."""
_NAMES = itertools.count()


def new_session() -> dict[str, str]:
    return {"X-Mock-Session": f"coverage-{next(_NAMES)}"}


def counts(client, session=(), **query) -> dict[str, int]:
    response = client.get("/__mock/coverage", headers=session, params=query)
    assert response.status_code == 200
    return response.json()["met"]


def waited_for(client, session, item, limit_s=5) -> bool:
    """Return whether an item is met; the mock may notice only later that a client has left."""
    until = time.monotonic() + limit_s
    while item not in counts(client, session):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(
            item,
            id=item.id.partition("/")[2],
            marks=[pytest.mark.slow] if item.id in A_SECOND else [],
        )
        for item in SITUATIONS
    ],
)
def test_the_documented_lines_produce_their_situation(server, client, item):
    if shutil.which("curl") is None:
        give_up("There is no curl, which runs the documented lines")
    session = new_session()
    address = Address(server.url, DEMO_KEY, headers=session)
    *before, last = [curl_line(step, address) for step in item.steps]

    for line in before:
        subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=20)
        assert item.id not in counts(client, session)
    subprocess.run(["sh", "-c", last], capture_output=True, check=False, timeout=20)

    assert waited_for(client, session, item.id)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(
            one.operation_id,
            marks=[] if one.operation_id == "getExecution" else [pytest.mark.slow],
        )
        for one in operations()
    ],
)
def test_the_documented_requests_produce_every_status_and_code(client, operation):
    failed = []
    for item in [one for one in RESPONSES if one.id.split("/")[1] == operation]:
        session = new_session()
        (step,) = item.steps
        client.request(step.method, step.path, headers={**session, **step.headers}, json=step.body)
        if item.id not in counts(client, session):
            failed.append(item.id)

    assert failed == []


def test_a_cached_response_is_counted_each_time_and_anew_after_a_reset(start_server):
    server = start_server()  # the default session is the one whose responses are cached
    with httpx.Client(base_url=server.url, headers=DEMO, verify=NO_TLS) as client:
        for _ in range(30):
            assert client.get(KNOWN).status_code == 200
        assert counts(client)["statuses/getExecution/200"] == 30
        for _ in range(12):
            client.get(KNOWN)
        document = client.get("/__mock/coverage").json()
        assert document["requests"] == 42
        assert document["met"]["situations/run_completed"] == 42

        client.post("/__mock/reset")
        for _ in range(3):
            client.get(KNOWN)

        assert counts(client)["operations/getExecution"] == 3
        assert counts(client, all="true")["operations/getExecution"] == 45


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_compressed_response_is_decoded(client, coding):
    session = new_session()
    path = "/v1/workflows/wf_loop77/executions/run_l4o4p4"

    response = client.get(path, headers={**session, "Accept-Encoding": coding})

    assert response.headers["Content-Encoding"] == coding
    assert counts(client, session)["situations/loop"] == 1


@pytest.mark.parametrize(
    ("fault", "item"),
    [
        ("reset", "situations/connection_cut"),
        ("wrong-length", "situations/connection_cut"),
        ("empty", "situations/connection_closed"),
        ("garbage", "situations/not_http"),
        ("content-type", "statuses/getExecution/200"),
    ],
)
def test_a_fault_is_what_the_client_sees_of_it(client, fault, item):
    session = new_session()

    with contextlib.suppress(httpx.TransportError):
        client.get(KNOWN, headers={**session, "Prefer": f"fault={fault}"})

    found = counts(client, session)
    assert item in found
    assert ("statuses/getExecution/200" in found) == item.startswith("statuses")


def test_slow_headers_are_a_complete_response_of_unknown_body(client):
    session = new_session()
    fault = {"kind": "slow-headers", "over_ms": 1}
    client.post("/__mock/faults", json=fault, headers=session).raise_for_status()

    client.get(KNOWN, headers=session)

    assert counts(client, session) == {
        "operations/getExecution": 1,
        "statuses/getExecution/200": 1,
    }


def test_a_response_that_the_client_does_not_wait_for_is_left_out(server, client):
    session = new_session()
    fault = {"kind": "drip", "over_ms": 400}
    client.post("/__mock/faults", json=fault, headers=session).raise_for_status()
    parts = urlsplit(server.url)
    (name, value), *_ = session.items()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = (
            f"GET {KNOWN} HTTP/1.1\r\nHost: x\r\nx-api-key: {DEMO_KEY}\r\n{name}: {value}\r\n\r\n"
        )
        connection.sendall(head.encode())
        connection.recv(100)
    client.delete("/__mock/faults", headers=session)
    time.sleep(0.5)

    assert counts(client, session) == {}


def test_sessions_are_counted_apart_and_in_the_total(start_server):
    server = start_server()
    with httpx.Client(base_url=server.url, headers=DEMO, verify=NO_TLS) as client:
        one, two = new_session(), new_session()
        client.get(KNOWN, headers=one)
        client.get("/v1/workflows", headers=two)
        client.get("/v1/credits/balance")

        assert "operations/getExecution" in counts(client, one)
        assert "operations/getExecution" not in counts(client, two)
        client.post("/__mock/reset", headers=one).raise_for_status()
        assert counts(client, one) == {}
        assert "operations/listWorkflows" in counts(client, two)
        client.post("/__mock/reset?all=true").raise_for_status()
        assert counts(client, two) == counts(client) == {}
        client.get(KNOWN, headers=one)
        total = counts(client, all="true")
        assert [total[f"operations/{name}"] for name in ("getExecution", "listWorkflows")] == [2, 1]


def test_the_response_is_as_documented(client):
    (operation,) = (one for one in control_operations() if one.operation_id == "getCoverage")
    session = new_session()
    client.get(KNOWN, headers=session)

    document = client.get("/__mock/coverage", headers=session).json()

    assert list(response_validator(operation, 200).iter_errors(document)) == []
    assert client.get("/__mock/coverage?all=yes").status_code == 400
    steps = next(one["steps"] for one in document["missing"] if one["id"] == "situations/loop")
    assert session["X-Mock-Session"] in steps[0]


def test_lines_of_a_mock_with_secrets_have_placeholders(over_http):
    settings = Settings(api_keys=("trig_secret_0123456789",), control_token="token-of-the-mock")
    client = over_http(build_app(settings))

    text = client.get("/__mock/coverage", headers={"X-Mock-Token": "token-of-the-mock"}).text

    assert "secret" not in text
    assert "token-of-the-mock" not in text
    assert "YOUR_KEY" in text
    assert "YOUR_TOKEN" in text
    assert client.get("/__mock/coverage").status_code == 401


def test_without_the_control_api_nothing_is_counted(over_http):
    client = over_http(build_app(Settings(control=False)))

    assert client.get(KNOWN).status_code == 200
    assert client.get("/__mock/coverage").status_code == 404


def sent(path: str = KNOWN, size: int = 0, failure: Failure | None = None) -> SentResponse:
    return SentResponse(
        method="GET",
        path=path,
        query="",
        operation="getExecution",
        path_parameters={"id": "wf_1", "runId": path},
        status=200,
        headers=[],
        chunks=[bytes(size)],
        sent_at_s=0,
        elapsed_s=0,
        failure=failure,
    )


@pytest.mark.parametrize(("most", "size"), [("MOST_WAITING", 1), ("MOST_WAITING_BYTES", 10)])
def test_what_waits_is_bounded_and_nothing_is_lost(monkeypatch, most, size):
    monkeypatch.setattr(module, most, 20)
    coverage = Coverage()

    observations = [coverage.add("", sent(f"/{at}", size)) for at in range(100)]
    for one in observations:
        one.repeat()

    assert len(coverage._waiting) <= 20
    assert coverage.tally("").requests == 200
    assert not coverage._waiting
    assert coverage._waiting_bytes == 0


def test_equal_responses_are_counted_and_not_stored():
    coverage = Coverage()
    for _ in range(1000):
        coverage.add("", sent())
    for query in ("page=1", "page=2"):
        coverage.add("", sent()._replace(query=query))

    assert len(coverage._waiting) == 4
    assert coverage.tally("").requests == 1002


@pytest.mark.parametrize(
    "change",
    [
        {"status": 404},
        {"elapsed_s": 2},
        {"failure": Failure.DROPPED},
        {"headers": [("Retry-After", "1")]},
        {"chunks": [b"other"]},
        {"method": "HEAD"},
    ],
)
def test_a_response_that_differs_is_evaluated(change):
    coverage = Coverage()
    for _ in range(3):
        coverage.add("", sent())

    coverage.add("", sent()._replace(**change))

    assert len(coverage._waiting) == 3


def test_a_404_is_seen_anew_once_its_run_is_listed(client):
    session = new_session()
    path = "/v1/workflows/wf_failed/executions"
    (row, *_) = client.get(path, headers=session).json()["data"]["executions"]
    client.post("/__mock/reset", headers=session)
    missing = {**session, "Prefer": "code=404"}
    for _ in range(3):
        client.get(f"{path}/{row['run_id']}", headers=missing)

    client.get(path, headers=session)
    client.get(f"{path}/{row['run_id']}", headers=missing)

    assert "situations/listed_but_not_found" in counts(client, session)


def test_a_slow_response_is_one_here_and_in_the_catalogue():
    assert module.SLOW_S == transport.SLOW_S


def test_sessions_that_are_too_many_count_in_the_total(monkeypatch):
    monkeypatch.setattr(module, "MOST_SESSIONS", 3)
    coverage = Coverage()

    for number in range(20):
        coverage.add(f"session-{number}", sent())

    assert coverage.total().requests == 20
    assert len(coverage._tallies) == 3
    assert coverage.tally("session-19").requests == 1
    assert coverage.tally("session-0").requests == 0


def test_threads_lose_no_response_to_resets():
    coverage = Coverage()

    def work(number: int) -> None:
        for _ in range(200):
            coverage.add(f"session-{number % 4}", sent())
            if number == 0:
                coverage.reset_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert coverage.total().requests == 1600
