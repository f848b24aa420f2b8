"""Faults apply to the responses of the upstream, seen by the client's socket."""

import gzip
import json
import socket
import struct
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN
from tests.mockserver.proxy.serving import DEMO, Plain, Proxy, proxying

BODY = json.dumps({"success": True, "data": {"text": "x" * 2000}}).encode()
JSON = ("Content-Type", "application/json")


@pytest.fixture(scope="module")
def shared(shared_upstream: Plain) -> Iterator[Proxy]:
    """A proxy of the server, without a prefix."""
    with proxying(shared_upstream.url) as one:
        yield one


@pytest.fixture
def proxy(shared: Proxy, upstream: Plain) -> Proxy:
    httpx.post(f"{shared.url}/__mock/reset", verify=NO_TLS)
    coded = [JSON, ("Content-Encoding", "gzip"), ("ETag", '"a"')]
    upstream.handle = lambda one: one.reply(200, coded, gzip.compress(BODY))
    return shared


def raw(proxy: Proxy, prefer: str) -> tuple[bytes, bool]:
    """Return what arrives, and whether the connection was reset."""
    host, port = proxy.url.removeprefix("http://").split(":")
    lines = f"GET {KNOWN} HTTP/1.1\r\nHost: localhost\r\nPrefer: fault={prefer}\r\n\r\n"
    received = b""
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(lines.encode())
        try:
            while data := connection.recv(65_536):
                received += data
        except ConnectionResetError:
            return received, True
    return received, False


@pytest.mark.parametrize(("fault", "is_reset"), [("reset", True), ("truncate", False)])
def test_a_connection_breaks_off_within_the_body(proxy: Proxy, fault: str, is_reset: bool) -> None:
    received, was_reset = raw(proxy, fault)

    head, _, body = received.partition(b"\r\n\r\n")
    assert was_reset is is_reset
    assert f"content-length: {len(BODY)}".encode() in head.lower()
    assert b"content-encoding" not in head.lower()  # a client that reads JSON must see it cut off
    if not is_reset:  # a reset may overtake what was sent
        assert body == BODY[: len(BODY) // 2]


def test_an_empty_response_and_garbage_arrive(proxy: Proxy) -> None:
    assert raw(proxy, "empty") == (b"", False)
    assert len(raw(proxy, "garbage")[0]) == 512


def test_a_status_refuses_before_the_upstream_is_asked(proxy: Proxy, upstream: Plain) -> None:
    fault = {"kind": "status", "status": 503, "retry_after_s": 7, "count": 1}
    httpx.post(f"{proxy.url}/__mock/faults", json=fault, verify=NO_TLS).raise_for_status()

    first, second = (httpx.get(proxy.url + KNOWN, headers=DEMO, verify=NO_TLS) for _ in range(2))

    assert (first.status_code, first.headers["retry-after"]) == (503, "7")
    assert first.json()["error"]["code"] == "API_OFF"
    assert second.status_code == 200
    assert len(upstream.received) == 1


def test_latency_delays_and_leaves_the_body_alone(proxy: Proxy) -> None:
    fault = {"kind": "latency", "delay_ms": 300}
    httpx.post(f"{proxy.url}/__mock/faults", json=fault, verify=NO_TLS).raise_for_status()

    began = time.monotonic()
    with httpx.stream("GET", proxy.url + KNOWN, headers=DEMO, verify=NO_TLS) as response:
        received = b"".join(response.iter_raw())

    assert time.monotonic() - began > 0.29
    assert gzip.decompress(received) == BODY
    assert response.headers["content-encoding"] == "gzip"


def test_a_fault_reaches_clients_that_have_a_copy(proxy: Proxy, upstream: Plain) -> None:
    conditional = {**DEMO, "If-None-Match": '"a"', "Prefer": "fault=malformed"}

    response = httpx.get(proxy.url + KNOWN, headers=conditional, verify=NO_TLS)

    assert response.text == BODY.decode()[: int(len(BODY) * 0.7)]
    assert upstream.last.header("if-none-match") is None
    assert upstream.last.header("prefer") is None


def test_contract_faults_change_the_document(proxy: Proxy, upstream: Plain) -> None:
    error = {"code": "NOT_FOUND", "message": "No", "details": None, "suggestion": None}
    body = json.dumps({"success": False, "error": error}).encode()
    upstream.handle = lambda one: one.reply(404, [JSON], body)
    httpx.put(f"{proxy.url}/__mock/contract-faults/not-found-code-missing", verify=NO_TLS)

    response = httpx.get(proxy.url + KNOWN, headers=DEMO, verify=NO_TLS)

    assert response.status_code == 404
    assert response.json()["error"].get("code") != "NOT_FOUND"


def test_faults_of_the_start_apply(upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [], b"ok")
    with proxying(upstream.url, settings={"chaos": "maintenance"}) as proxy:
        api = httpx.get(proxy.url + KNOWN, headers=DEMO, verify=NO_TLS)
        other = httpx.get(f"{proxy.url}/index.html", verify=NO_TLS)

    assert (api.status_code, other.status_code) == (503, 200)


def test_a_fault_that_does_not_exist_is_refused(proxy: Proxy) -> None:
    response = httpx.get(proxy.url + KNOWN, headers={**DEMO, "Prefer": "fault=typo"}, verify=NO_TLS)

    assert response.status_code == 400
    assert "use one of" in response.json()["error"]["details"]["errors"][0]


@pytest.mark.parametrize(
    ("prefer", "forwarded"),
    [
        ("fault=content-type, code=404", "code=404"),
        ("code=404;x=1, fault = content-type", "code=404;x=1"),
        ("delay=1", "delay=1"),
    ],
)
def test_other_preferences_are_those_of_the_upstream(
    proxy: Proxy, upstream: Plain, prefer: str, forwarded: str
) -> None:
    httpx.get(proxy.url + KNOWN, headers={**DEMO, "Prefer": prefer}, verify=NO_TLS, timeout=10)

    assert upstream.last.header("prefer") == forwarded
