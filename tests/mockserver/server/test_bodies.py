"""Bodies that are late, cut off or too large: each is refused, and delays no other request."""

import json
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.conftest import DEMO, KNOWN
from tests.mockserver.server.raw import LIMITS

TEST = "/v1/workflows/wf_abc123/test"
HALF_SENT = 400


@pytest.fixture
def server(start_server):
    return start_server("--log-format", "off")


def connected(server, *lines, body=b""):
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    head = "\r\n".join((*lines, "Host: localhost", f"x-api-key: {DEMO['x-api-key']}", "", ""))
    connection.sendall(head.encode() + body)
    return connection


def response_of(connection):
    """The status of a response, and its body, which arrives with the head."""
    head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def started_runs(server):
    return httpx.get(f"{server.url}/__mock/state").json()["started_runs"]


def test_bodies_that_time_out_delay_no_other_request(server):
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(connected(server, f"POST {TEST} HTTP/1.1", "Content-Length: 9"))
            for _ in range(HALF_SENT)
        ]
        for path in (KNOWN, "/v1/workflows") * 10:
            # Delayed by the bodies, one would have its response when those time out.
            assert httpx.get(server.url + path, headers=DEMO, timeout=1).is_success
        message = [response_of(connection) for connection in waiting]
    assert server.stop() == 0

    assert {status for status, _ in message} == {408}
    assert f"idle for {LIMITS.body_idle_s:g} s" in str(message)


def test_a_request_that_timed_out_is_not_done_when_the_rest_comes(server):
    with connected(server, f"POST {TEST} HTTP/1.1", "Content-Length: 2", body=b"{") as connection:
        status, _ = response_of(connection)
        connection.sendall(b"}")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""

    assert status == 408
    assert httpx.post(server.url + TEST, headers=DEMO).is_success
    assert len(started_runs(server)) == 1


@pytest.mark.parametrize("sent", [b"", b"{"])
def test_what_a_caller_did_not_finish_is_not_done(server, sent):
    with connected(server, f"POST {TEST} HTTP/1.1", "Content-Length: 40", body=sent) as connection:
        connection.shutdown(socket.SHUT_WR)
        message = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert b" 200 " not in message[:20]
    assert httpx.get(f"{server.url}/v1/workflows", headers=DEMO).is_success
    assert started_runs(server) == []


def test_a_body_that_is_too_large_is_refused_unread(server):
    lines = (f"POST {TEST} HTTP/1.1", f"Content-Length: {LIMITS.body_bytes + 1}")
    with connected(server, *lines) as connection:
        status, message = response_of(connection)

    assert status == 413
    assert f"{LIMITS.body_bytes:,}" in message["error"]["suggestion"]


def test_a_read_does_not_wait_for_a_body(server):
    with connected(server, f"GET {KNOWN} HTTP/1.1", "Content-Length: 5") as connection:
        assert connection.recv(17) == b"HTTP/1.1 200 OK\r\n"


def test_a_body_in_chunks_is_read(server):
    def chunks():
        yield b'{"overrides": '
        yield b"[]}"

    response = httpx.post(server.url + TEST, headers=DEMO, content=chunks())

    assert response.status_code == 400
    assert "overrides" in response.text


def test_many_requests_in_progress_are_finished_by_a_stop(server):
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(connected(server, f"GET {KNOWN} HTTP/1.1", "Prefer: steps=1500"))
            for _ in range(12)
        ]
        begun = waiting[0].recv(17)
        assert server.stop() == 0
        rest = [b"".join(iter(lambda one=one: one.recv(65_536), b"")) for one in waiting]

    assert begun == b"HTTP/1.1 200 OK\r\n"
    assert all(b'"success":true' in message for message in rest)
