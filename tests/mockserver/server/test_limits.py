"""Every limit of the server, made small: what goes beyond is refused, and holds up no other."""

import gzip
import json
import re
import socket
import threading
import time
from dataclasses import fields
from pathlib import Path

import pytest

from deadringer.mockserver.server import Limits
from deadringer.mockserver.server.plain import PlainProtocol
from deadringer.mockserver.server.protocol import CachingProtocol
from tests.mockserver.server.raw import ResponseReader, error_of
from tests.mockserver.server.serving import HOST, echo, served

SOON_S = 0.3
POST = f"POST /x HTTP/1.1\r\n{HOST}"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n\r\n".encode()


@pytest.fixture(params=[CachingProtocol, PlainProtocol], ids=["httptools", "h11"])
def protocol(request):
    return request.param


@pytest.fixture
def refused(protocol):
    """Send bytes to a server with limits; return what it refuses them with."""

    def refused(sent, **limits):
        with served(protocol=protocol, **limits) as server:
            connection = server.connect()
            connection.sendall(sent)
            return error_of(ResponseReader(connection).next())

    return refused


def test_a_body_beyond_its_limit_is_413(refused):
    sent = f"{POST}Content-Length: 11\r\n\r\n".encode() + bytes(11)

    assert refused(sent, body_bytes=10)[0] == 413
    assert refused(CHUNKED + b"b\r\n" + bytes(11) + b"\r\n", body_bytes=10)[0] == 413


def test_a_body_is_measured_after_its_coding_is_undone(refused):
    body = gzip.compress(bytes(1000))
    head = f"{POST}Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"

    assert len(body) < 100
    assert refused(head.encode() + body, body_bytes=100)[0] == 413


def test_a_head_beyond_its_limit_is_431(refused, protocol):
    unfinished = 431 if protocol is CachingProtocol else 400
    sent = f"GET /{'x' * 300} HTTP/1.1\r\n{HOST}".encode()

    assert refused(sent, head_bytes=200)[0] == unfinished
    assert refused(sent + b"\r\n", head_bytes=200)[0] == 431


def test_more_headers_than_their_limit_are_431(refused):
    sent = f"GET / HTTP/1.1\r\n{HOST}".encode() + b"A: b\r\n" * 5 + b"\r\n"

    assert refused(sent, headers=5)[0] == 431


@pytest.mark.parametrize(
    "framing",
    [b"1;" + b"x" * 3000, b"0\r\nTrailer: " + b"x" * 3000],
    ids=["extension", "trailer"],
)
def test_what_frames_a_body_is_bounded(protocol, framing):
    status = 431 if protocol is CachingProtocol else 400
    with served(protocol=protocol, head_bytes=1000) as server:
        connection = server.connect()
        connection.sendall(CHUNKED)
        for place in range(0, len(framing), 500):
            connection.sendall(framing[place : place + 500])
            time.sleep(0.02)

        assert error_of(ResponseReader(connection).next())[0] == status


def test_a_trailer_of_40_mb_does_not_keep_the_event_loop_busy(protocol):
    with served(protocol=protocol) as server:
        hostile, other = server.connect(), server.connect()
        hostile.sendall(CHUNKED + b"0\r\nTrailer: ")
        hostile.settimeout(5)
        began = time.monotonic()
        try:
            for _ in range(40):
                hostile.sendall(b"x" * 2**20)
        except OSError:  # it is refused by then
            pass
        other.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())

        assert ResponseReader(other).next()[0] == 200
        assert time.monotonic() - began < 5


def test_trailers_are_no_headers():
    with served() as server:
        connection = server.connect()
        connection.sendall(CHUNKED + b"1\r\nx\r\n0\r\nX-Api-Key: smuggled\r\n\r\n")
        status, _, body = ResponseReader(connection).next()

    assert status == 200
    assert "X_API_KEY" not in json.loads(body)["headers"]


def test_all_bodies_together_are_bounded(protocol):
    with served(protocol=protocol, held_bytes=1000) as server:
        first, second, third = (server.connect() for _ in range(3))
        head = f"{POST}Content-Length: 700\r\n\r\n".encode()
        first.sendall(head + bytes(600))
        time.sleep(0.2)
        second.sendall(head + bytes(600))
        assert error_of(ResponseReader(second).next())[0] == 503
        first.sendall(bytes(100))
        assert ResponseReader(first).next()[0] == 200
        third.sendall(head + bytes(700))

        assert ResponseReader(third).next()[0] == 200


def test_all_bodies_together_are_bounded_after_their_coding_is_undone(protocol):
    may_end, begun = threading.Event(), threading.Event()

    def slow(environ, start_response):
        begun.set()
        may_end.wait(20)
        return echo(environ, start_response)

    body = gzip.compress(bytes(600))
    head = f"{POST}Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with served(slow, protocol=protocol, held_bytes=1000) as server:
        first, second, third = (server.connect() for _ in range(3))
        first.sendall(head.encode() + body)
        assert begun.wait(20)
        second.sendall(head.encode() + body)
        second.settimeout(5)
        try:
            assert error_of(ResponseReader(second).next())[0] == 503
        finally:
            may_end.set()
        assert ResponseReader(first).next()[0] == 200
        third.sendall(head.encode() + body)

        assert ResponseReader(third).next()[0] == 200


def test_connections_beyond_their_limit_are_503(protocol):
    with served(protocol=protocol, connections=2) as server:
        open_ = [server.connect() for _ in range(2)]
        for one in open_:
            one.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
            assert ResponseReader(one).next()[0] == 200
        refused = server.connect()
        assert error_of(ResponseReader(refused).next())[0] == 503
        for one in (open_[0], refused):
            one.shutdown(socket.SHUT_RDWR)
        time.sleep(0.2)
        again = server.connect()
        again.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())

        assert ResponseReader(again).next()[0] == 200


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nA: b"])
def test_a_head_that_does_not_end_is_408(refused, sent):
    status, message = refused(sent, head_s=SOON_S)

    assert status == 408
    assert "0.3 seconds" in message


@pytest.mark.parametrize("limits", [{"body_idle_s": SOON_S}, {"body_s": SOON_S}])
@pytest.mark.parametrize("sent", [f"{POST}Content-Length: 9\r\n\r\n12".encode(), CHUNKED])
def test_a_body_that_does_not_end_is_408(refused, sent, limits):
    assert refused(sent, **limits)[0] == 408


def test_a_body_that_goes_on_for_ever_is_408(protocol):
    with served(protocol=protocol, body_idle_s=SOON_S, body_s=1) as server:
        connection = server.connect()
        connection.sendall(f"{POST}Content-Length: 900\r\n\r\n".encode())
        began = time.monotonic()
        for _ in range(7):
            connection.sendall(b"x")
            time.sleep(0.1)
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1, socket.MSG_PEEK)
        connection.settimeout(5)
        while time.monotonic() - began < 1.3:
            connection.sendall(b"x")
            time.sleep(0.1)

        assert error_of(ResponseReader(connection).next())[0] == 408


def test_an_idle_connection_ends_in_silence_and_a_used_one_stays(protocol):
    with served(protocol=protocol, idle_s=0.6) as server:
        idle, used = server.connect(), server.connect()
        responses, began = ResponseReader(used), time.monotonic()
        while time.monotonic() - began < 1.2:
            used.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
            assert responses.next()[0] == 200
            time.sleep(0.1)

        assert idle.recv(1) == b""


def test_a_response_that_is_not_read_ends_the_connection(protocol):
    def large(_environ, start_response):
        start_response("200 OK", [])
        return [bytes(30_000_000)]

    with served(large, protocol=protocol, unread_s=SOON_S) as server:
        connection = server.connect()
        connection.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
        time.sleep(1.5)

        assert len(ResponseReader(connection).rest()) < 30_000_000


def test_a_refused_client_that_goes_on_sending_is_cut_off_after_a_while(protocol):
    with served(protocol=protocol, body_bytes=10, linger_s=SOON_S) as server:
        connection = server.connect()
        connection.sendall(f"{POST}Content-Length: 9000000\r\n\r\n".encode())
        assert error_of(ResponseReader(connection).next())[0] == 413
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_for(connection, 2)


def send_for(connection, seconds):
    for _ in range(round(seconds / 0.05)):
        connection.sendall(b"x")
        time.sleep(0.05)


def test_a_setting_gives_a_limit(start_server):
    server = start_server("--limit", "body_bytes=10", "--limit", "head_s=0.3")
    host, port = server.url.removeprefix("http://").split(":")
    path = "/v1/workflows/wf_abc123/test"
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n{HOST}Content-Length: 11\r\n\r\n".encode())
        status, message = error_of(ResponseReader(connection).next())

    assert (status, message) == (413, "The body is too large")


def test_every_limit_has_a_test_here():
    text = Path(__file__).read_text("utf-8")
    elsewhere = {"threads", "stop_s"}  # test_odd_applications.py

    names = {one.name for one in fields(Limits)} - elsewhere
    assert [name for name in names if not re.search(rf"\b{name}(=|\": )", text)] == []
