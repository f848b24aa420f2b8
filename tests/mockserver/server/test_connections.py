"""Requests on a connection as clients really send them, and unusual ones."""

import re
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.server.raw import (
    KEY,
    LIMITS,
    LIST,
    READ,
    TEST,
    WAIT_S,
    ResponseReader,
    error_of,
)


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--log-format", "off")


def test_pipelined_requests_have_their_responses_in_order(connection):
    plain, slow = READ, READ[:-2] + b"Prefer: delay=300\r\n\r\n"
    connection.sendall(plain + slow + LIST + plain + plain)
    responses = ResponseReader(connection)
    found = [responses.next() for _ in range(5)]

    assert [status for status, _, _ in found] == [200] * 5
    assert found[0][2] == found[1][2] == found[3][2] == found[4][2] != found[2][2]
    assert found[1][1]["preference-applied"] == "delay=300"


def test_a_request_may_come_byte_by_byte(connection):
    responses = ResponseReader(connection)
    for _ in range(2):
        for place in range(len(READ)):
            connection.sendall(READ[place : place + 1])
        assert responses.next()[0] == 200


def test_every_response_has_a_date(connection):
    connection.sendall(READ + LIST + b"GET /\x01 HTTP/1.1\r\n\r\n")
    responses = ResponseReader(connection)

    for _ in range(3):
        assert re.fullmatch(
            r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d gmt", responses.next()[1]["date"]
        )


@pytest.mark.parametrize("request_", [READ, LIST])
def test_the_last_request_of_a_connection_ends_it(connection, request_):
    connection.sendall(request_)
    connection.sendall(request_[:-2] + b"Connection: close\r\n\r\n" + request_)
    responses = ResponseReader(connection)

    assert "connection" not in responses.next()[1]
    status, headers, _ = responses.next()
    assert (status, headers["connection"]) == (200, "close")
    assert responses.rest() == b""


@pytest.mark.parametrize("request_", [READ, LIST, READ + LIST])
def test_a_client_that_sends_no_more_still_gets_the_responses(connection, request_):
    connection.sendall(request_)
    connection.shutdown(socket.SHUT_WR)

    assert ResponseReader(connection).rest().count(b"HTTP/1.1 200 ") == request_.count(b"GET ")


@pytest.mark.parametrize("asked_for", [b"", b"Connection: keep-alive\r\n"])
def test_a_connection_of_http_1_0_ends_with_its_response(connection, asked_for):
    connection.sendall(READ.replace(b"1.1", b"1.0", 1)[:-2] + asked_for + b"\r\n")
    responses = ResponseReader(connection)

    status, headers, _ = responses.next()
    assert (status, headers["connection"]) == (200, "close")
    assert responses.rest() == b""


def test_a_whole_url_is_a_path(connection):
    connection.sendall(READ.replace(b"GET ", b"GET http://localhost", 1))

    assert ResponseReader(connection).next()[0] == 200


BREW = f"{TEST} HTTP/1.1\r\n{KEY}\r\n".replace("POST", "BREW").encode()
"""A POST would start a run."""


def started_runs(server):
    return httpx.get(f"{server.url}/__mock/state").json()["started_runs"]


@pytest.mark.parametrize("first", [len(BREW), 5, 40, len(BREW) - 2])
def test_an_unknown_method_is_a_405_and_the_connection_goes_on(server, connection, first):
    before = started_runs(server)
    responses = ResponseReader(connection)
    for _ in range(2):
        connection.sendall(BREW[:first])
        time.sleep(0.05)
        connection.sendall(BREW[first:] + READ)
        assert [responses.next()[0], responses.next()[0]] == [405, 200]

    assert started_runs(server) == before


def test_what_follows_an_unknown_method_is_read_once(server, connection):
    before = started_runs(server)
    body = f"{TEST} HTTP/1.1\r\n{KEY}\r\n".encode()  # would start a run if it were no body
    head = f"POST /v1/nowhere HTTP/1.1\r\n{KEY}Content-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode())
    time.sleep(0.05)
    connection.sendall(body + BREW)
    responses = ResponseReader(connection)

    assert responses.next()[0] == 404
    assert error_of(responses.next())[0] == 400
    assert responses.rest() == b""
    assert started_runs(server) == before


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(connection):
    connection.sendall(READ.replace(b"x-api-key", b"x_api_key"))

    assert ResponseReader(connection).next()[0] == 401


def test_another_address_sends_the_same_bytes_and_is_another_caller(server):
    parts = urlsplit(server.url)
    request = READ.replace(b"x-api-key", b"x-other")
    left = []
    for source in ("127.0.0.1", "127.0.0.1", "127.0.0.2"):
        place, source = (parts.hostname, parts.port), (source, 0)
        with socket.create_connection(place, WAIT_S, source) as connection:
            connection.sendall(request)
            status, headers, _ = ResponseReader(connection).next()
            assert status == 401
            left.append(int(headers["ratelimit-remaining"]))

    assert left[0] - left[1] == 1
    assert left[2] == int(headers["ratelimit-limit"]) - 1


@pytest.mark.parametrize("length", ["Content-Length: 16", "Transfer-Encoding: chunked"])
def test_an_offer_of_another_protocol_is_not_accepted(connection, length):
    """As Java's client makes one with the first request of a connection."""
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    body = b'{"overrides": 1}'
    if "chunked" in length:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    responses = ResponseReader(connection)
    for rest in (b"\r\n", f"{length}\r\n\r\n".encode() + body):
        connection.sendall(READ[:-2] + offer.encode() + rest + LIST + READ)
        (_, _, first), (_, _, second), (_, _, third) = [responses.next() for _ in range(3)]
        assert first == third != second
    head = f"{TEST} HTTP/1.1\r\n{KEY}{offer}Content-Type: application/json\r\n{length}\r\n\r\n"
    connection.sendall(head.encode())
    connection.sendall(body + READ)
    status, _, found = responses.next()
    assert (status, b"overrides" in found) == (400, True)
    assert responses.next()[0] == 200


def test_an_offer_of_a_websocket_is_not_accepted_either(connection):
    offer = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    connection.sendall(READ[:-2] + offer + READ)
    responses = ResponseReader(connection)

    assert [responses.next()[0], responses.next()[0]] == [200, 200]


def test_bytes_that_came_before_are_recognised_only_if_they_are_one_request(connect):
    for _ in range(2):  # the second time they might be recognised
        for more, count, last in ((b"\x16\x03", 1, 400), (READ, 2, 200), (LIST[:20], 1, None)):
            connection = connect()
            connection.sendall(READ + more)
            responses = ResponseReader(connection)
            found = [responses.next()[0] for _ in range(count)]
            assert found == [200] * count
            if last == 400:
                assert error_of(responses.next())[0] == 400
            if last is None:
                connection.sendall(LIST[20:])
                assert b'"items"' in responses.next()[2]


def test_a_client_that_waits_gets_100_continue(connection):
    head = f"{TEST} HTTP/1.1\r\n{KEY}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(head.encode())
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"[]")
    responses = ResponseReader(connection)
    assert responses.next()[0] == 400
    # Not before the responses to what came before.
    connection.sendall(READ[:-2] + b"Prefer: delay=200\r\n\r\n" + READ + head.encode())
    assert [responses.next()[0], responses.next()[0]] == [200, 200]
    assert responses.next()[0] == 100
    connection.sendall(b"[]")
    assert responses.next()[0] == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1 and more\r\n\r\n",
        b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
    ids=["line", "ascii", "connect", "lengths", "twice", "tls"],
)
def test_what_is_no_request_is_refused_after_those_that_were(connection, sent):
    connection.sendall(READ + sent)
    responses = ResponseReader(connection)

    assert responses.next()[0] == 200
    status, message = error_of(responses.next())
    assert status == 400
    assert message.startswith("This is no HTTP/1.1 request: ")
    assert responses.rest() == b""


def test_the_preface_of_http_2_is_refused_as_another_version(connection):
    connection.sendall(READ + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    responses = ResponseReader(connection)

    assert responses.next()[0] == 200
    assert error_of(responses.next()) == (505, "This version of HTTP is not supported")
    assert responses.rest() == b""


@pytest.mark.parametrize("read", [READ, BREW])
@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nhost: localhost\r\n"])
def test_a_request_has_one_host(connection, read, hosts):
    responses = ResponseReader(connection)
    connection.sendall(READ)
    assert responses.next()[0] == 200
    connection.sendall(read.replace(b"Host: localhost\r\n", hosts))

    assert error_of(responses.next()) == (400, "An HTTP/1.1 request has exactly one Host header")
    assert responses.rest() == b""


@pytest.mark.parametrize(
    "refused",
    [
        READ.replace(b"Host: localhost\r\n", b""),
        READ[:-2] + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        READ[:-2] + b"A: " + b"x" * LIMITS.head_bytes + b"\r\n\r\n",
    ],
    ids=["host", "coding", "head"],
)
@pytest.mark.parametrize("before", [b"", READ])
def test_what_comes_with_a_refused_request_is_not_taken_for_it(server, connection, refused, before):
    started = started_runs(server)
    connection.sendall(before + refused + READ + f"{TEST} HTTP/1.1\r\n{KEY}\r\n".encode())
    responses = ResponseReader(connection)
    if before:
        assert responses.next()[0] == 200

    assert error_of(responses.next())[0] in {400, 431, 501}
    assert responses.rest() == b""
    assert started_runs(server) == started


def test_a_request_of_http_1_0_needs_no_host(connection):
    connection.sendall(READ.replace(b"1.1", b"1.0", 1).replace(b"Host: localhost\r\n", b""))

    assert ResponseReader(connection).next()[0] == 200


@pytest.mark.parametrize("coding", ["gzip, chunked", "identity, chunked"])
def test_a_body_in_a_coding_that_is_not_undone_is_not_acted_upon(server, connection, coding):
    before = started_runs(server)
    head = f"{TEST} HTTP/1.1\r\n{KEY}Transfer-Encoding: {coding}\r\n\r\n"
    connection.sendall(head.encode() + b"0\r\n\r\n")

    status, message = error_of(ResponseReader(connection).next())
    assert (status, message.split()[0]) == (501, "Transfer-Encoding")
    assert started_runs(server) == before


def test_chunked_may_be_written_large(connection):
    head = f"{TEST} HTTP/1.1\r\n{KEY}Transfer-Encoding: Chunked\r\n\r\n"
    connection.sendall(head.encode() + b"2\r\n[]\r\n0\r\n\r\n")

    assert (
        ResponseReader(connection).next()[0] == 400
    )  # it is read: a list is no body of a test run


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_that_is_too_large_is_refused(connection, start):
    filling = b"a: b\r\n" if start.endswith(b"\n") else b"x"
    connection.sendall(start + filling * (2 * LIMITS.head_bytes // len(filling)))

    status, message = error_of(ResponseReader(connection).next())
    assert status == 431
    assert "too large" in message


def test_a_413_reaches_a_client_that_goes_on_sending(connection):
    head = f"{TEST} HTTP/1.1\r\n{KEY}Content-Length: {2 * LIMITS.body_bytes}\r\n\r\n"
    connection.sendall(head.encode() + bytes(2**20))
    time.sleep(0.2)
    connection.sendall(bytes(2**20))

    assert error_of(ResponseReader(connection).next())[0] == 413


@pytest.mark.parametrize("sent", [b"", b"5\r\n[", b"1\r\n[\r\n", b"1\r\n[\r\n0\r\n"])
def test_a_body_in_chunks_that_is_cut_off_is_not_acted_upon(connection, sent):
    head = f"{TEST} HTTP/1.1\r\n{KEY}Transfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head.encode() + sent)
    connection.shutdown(socket.SHUT_WR)

    status, message = error_of(ResponseReader(connection).next())
    assert status == 400
    assert "before its last chunk" in message


def test_a_head_that_is_cut_off_gets_no_response(connection):
    connection.sendall(READ + READ[:30])
    connection.shutdown(socket.SHUT_WR)
    responses = ResponseReader(connection)

    assert responses.next()[0] == 200
    assert responses.rest() == b""


def test_the_body_of_a_read_is_read_over(connection):
    responses = ResponseReader(connection)
    connection.sendall(READ[:-2] + b"Content-Length: 5\r\n\r\n12")
    assert responses.next()[0] == 200
    connection.sendall(b"345" + READ)
    assert responses.next()[0] == 200
