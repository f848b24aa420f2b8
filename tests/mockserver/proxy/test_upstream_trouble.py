"""What goes wrong with the upstream: it is gone, slow, cuts off, or sends what is not HTTP."""

import socket
import time

import pytest

from tests.mockserver.proxy.serving import DEMO, LIST, Handler, Plain, Proxy, proxying, raw, request


def test_an_upstream_that_is_not_there_gets_a_documented_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with proxying(f"http://127.0.0.1:{port}") as proxy:
        response = request(proxy, "GET", LIST, headers=DEMO)
        report = proxy.traffic.report()

    error = response.json()["error"]
    assert response.status_code == 502
    assert error["code"] == "BAD_GATEWAY"
    assert "connection refused" in error["message"]
    assert f"http://127.0.0.1:{port}" in error["suggestion"]
    assert report.requests == 0  # the upstream did nothing wrong


def test_an_upstream_that_is_too_slow_gets_504(upstream: Plain) -> None:
    upstream.handle = lambda one: time.sleep(0.6)

    with proxying(upstream.url, timeout_s=0.2) as proxy:
        response = request(proxy, "GET", LIST)

    assert (response.status_code, response.json()["error"]["code"]) == (504, "GATEWAY_TIMEOUT")


@pytest.mark.parametrize("path", [LIST, "/other"])
def test_a_response_that_is_cut_off_arrives_cut_off(
    proxy: Proxy, upstream: Plain, path: str
) -> None:
    def cut(one: Handler) -> None:
        one.reply(200, [("Content-Length", "100")], b"half of it")
        one.close_connection = True

    upstream.handle = cut

    received = raw(proxy, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"half of it"
    if path == LIST:
        failures = {one.rule for one in proxy.traffic.report().failures}
        assert "answer_arrives_whole" in failures


def test_a_stream_that_is_cut_off_has_no_end(proxy: Proxy, upstream: Plain) -> None:
    def cut(one: Handler) -> None:
        one.reply(200, [("Transfer-Encoding", "chunked")], b"4\r\nhalf\r\n")
        one.close_connection = True

    upstream.handle = cut

    received = raw(proxy, b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")

    assert received.endswith(b"4\r\nhalf\r\n")  # no last chunk: a client sees that more was to come


def test_a_connection_that_closes_as_it_is_used_again_is_no_error(
    proxy: Proxy, upstream: Plain
) -> None:
    def reply_once(one: Handler) -> None:
        if hasattr(one, "has_replied"):
            one.close_connection = True
        else:
            one.has_replied = True  # type: ignore[attr-defined]
            one.reply(200, [], b"ok")

    upstream.handle = reply_once

    assert [request(proxy, "GET", "/other").status_code for _ in range(4)] == [200] * 4
    assert request(proxy, "POST", "/other").status_code == 502  # it may have had effects


def test_an_idle_connection_that_was_closed_is_no_error(proxy: Proxy, upstream: Plain) -> None:
    def reply_and_close(one: Handler) -> None:
        one.reply(200, [], b"ok")
        one.close_connection = True

    upstream.handle = reply_and_close

    assert [request(proxy, "GET", "/other").status_code for _ in range(5)] == [200] * 5


SURPLUS = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"


def raw_response(head: str, body: bytes = b""):
    """Return a handler that writes these bytes; of a request for /ok, a usual response."""

    def handle(one: Handler) -> None:
        if one.path.endswith("/ok"):
            one.reply(200, [], b"ok")
        else:
            one.wfile.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
            one.wfile.flush()

    return handle


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("GET", "HTTP/1.1 200 OK\nContent-Length: 2"),
        ("GET", "HTTP/1.1 204 No Content"),
        ("HEAD", "HTTP/1.1 200 OK\nContent-Length: 2"),
        ("GET", "HTTP/1.1 304 Not Modified"),
    ],
)
def test_what_follows_a_response_is_no_response(
    proxy: Proxy, upstream: Plain, method: str, head: str
) -> None:
    upstream.handle = raw_response(head, (b"ok" if "200" in head else b"") + SURPLUS)
    path = "/v1/workflows/a/executions/b"

    first = request(proxy, method, path)
    after = [request(proxy, "GET", f"/x{number}/ok").text for number in range(3)]

    assert first.status_code == int(head.split()[1])
    assert after == ["ok"] * 3


@pytest.mark.parametrize("length", [1, 500])
def test_chunks_override_a_length(proxy: Proxy, upstream: Plain, length: int) -> None:
    head = f"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: {length}"
    upstream.handle = raw_response(head, b"5\r\nhello\r\n0\r\n\r\n")

    assert request(proxy, "GET", "/x").text == "hello"


@pytest.mark.parametrize(
    ("head", "cause"),
    [
        ("HTTP/1.1 999 Other\nContent-Length: 0", "status 999"),
        ("HTTP/1.1 600 Other\nContent-Length: 0", "status 600"),
        (
            "HTTP/1.1 200 OK\nX-C: a\x01b\nContent-Length: 0",
            "control character in the header X-C",
        ),
    ],
)
def test_what_cannot_be_passed_on_is_a_502(
    proxy: Proxy, upstream: Plain, head: str, cause: str
) -> None:
    upstream.handle = raw_response(head)

    response = request(proxy, "GET", "/v1/workflows/a/executions/b")

    assert response.status_code == 502
    assert cause in response.text
