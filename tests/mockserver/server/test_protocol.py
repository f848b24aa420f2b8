"""What RFC 9110 and 9112 require of a server, with both parsers that can stand behind ours."""

import gzip
import itertools
import json
import random
import socket
import threading
import time
import zlib

import pytest

from deadringer.mockserver.server.plain import PlainProtocol
from deadringer.mockserver.server.protocol import CachingProtocol
from tests.mockserver.server.raw import ResponseReader, error_of
from tests.mockserver.server.serving import HOST, WAIT_S, served

GET = f"GET /x HTTP/1.1\r\n{HOST}\r\n".encode()


@pytest.fixture(scope="module", params=[CachingProtocol, PlainProtocol], ids=["httptools", "h11"])
def server(request):
    with served(protocol=request.param) as server:
        yield server


def post(body, *headers):
    lines = "".join(f"{line}\r\n" for line in headers)
    head = f"POST /x HTTP/1.1\r\n{HOST}{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def seen_of(server, sent):
    connection = server.connect()
    connection.sendall(sent)
    status, _, body = ResponseReader(connection).next()
    assert status == 200, body
    return json.loads(body)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_undone(server, coding):
    body = gzip.compress(b'{"a": ') + gzip.compress(b"1}")  # RFC 1952 lets members follow
    seen = seen_of(server, post(body, f"Content-Encoding: {coding}"))

    assert seen["body"] == '{"a": 1}'
    assert seen["headers"]["CONTENT_LENGTH"] == "8"
    assert "CONTENT_ENCODING" not in seen["headers"]


def test_a_compressed_body_may_come_in_chunks(server):
    body = gzip.compress(b"text")
    head = f"POST /x HTTP/1.1\r\n{HOST}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"

    seen = seen_of(server, head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert seen["body"] == "text"


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_another_coding_is_415_and_named(server, coding):
    connection = server.connect()
    connection.sendall(post(zlib.compress(b"text"), f"Content-Encoding: {coding}"))

    status, message = error_of(ResponseReader(connection).next())
    assert status == 415
    assert coding in message


@pytest.mark.parametrize(
    "body", [b"plain", gzip.compress(b"text" * 99)[:-9]], ids=["plain", "cut off"]
)
def test_a_body_that_is_not_gzip_is_400(server, body):
    connection = server.connect()
    connection.sendall(post(body, "Content-Encoding: gzip"))

    assert error_of(ResponseReader(connection).next())[0] == 400


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n"])
def test_a_host_that_is_missing_or_comes_twice_is_400(server, hosts):
    connection = server.connect()
    connection.sendall(f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())

    assert error_of(ResponseReader(connection).next())[0] == 400


@pytest.mark.parametrize("version", ["2.0", "3.0", "0.9", "1.2"])
def test_another_version_is_not_served(server, version):
    connection = server.connect()
    connection.sendall(f"GET / HTTP/{version}\r\n{HOST}\r\n".encode())

    # h11 reads 1.2 as a version that can have a response of 1.1, as RFC 9110 (6.2) allows.
    assert error_of(ResponseReader(connection).next())[0] == 505


def test_a_whole_url_replaces_the_host(server):
    seen = seen_of(server, f"GET http://other:8080/a%20b?c=d HTTP/1.1\r\n{HOST}\r\n".encode())

    assert (seen["path"], seen["query"]) == ("/a b", "c=d")
    assert seen["headers"]["HOST"] == "other:8080"


@pytest.mark.parametrize("target", ["http://u:p@other/", "ftp://other/", "other:80", "http:///x"])
def test_another_form_of_target_is_400(server, target):
    connection = server.connect()
    connection.sendall(f"GET {target} HTTP/1.1\r\n{HOST}\r\n".encode())

    assert error_of(ResponseReader(connection).next())[0] == 400


def test_http_1_0_with_a_transfer_encoding_closes(server):
    connection = server.connect()
    head = f"POST /x HTTP/1.0\r\n{HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head.encode() + b"1\r\nx\r\n0\r\n\r\n" + GET)
    responses = ResponseReader(connection)
    responses.next()

    assert responses.rest() == b""


def test_a_head_request_has_the_length_but_no_body(server):
    connection = server.connect()
    connection.sendall(GET.replace(b"GET", b"HEAD") + GET)
    reader = connection.makefile("rb")
    head = b"".join(iter(reader.readline, b"\r\n"))

    assert b"content-length: " in head.lower()
    assert reader.readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("ends", [True, False])
def test_a_body_without_a_length_comes_in_chunks_or_ends_http_1_0(ends):
    def pieces(_environ, start_response):
        start_response("200 OK", [])
        yield b"one"
        yield b"two"

    version = "1.0" if ends else "1.1"
    with served(pieces) as server:
        connection = server.connect()
        connection.sendall(f"GET / HTTP/{version}\r\n{HOST}\r\n".encode())
        if ends:
            assert ResponseReader(connection).next()[2] == b"onetwo"
        else:
            connection.shutdown(socket.SHUT_WR)
            rest = ResponseReader(connection).rest()
            assert b"transfer-encoding: chunked\r\n" in rest
            assert rest.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


class PathCache:
    """Holds responses to paths below /cached that repeat the request, as the mock's cache does."""

    def key_of(self, environ):
        cacheable = environ["REQUEST_METHOD"] == "GET" and "/cached" in environ["PATH_INFO"]
        return (environ["PATH_INFO"], environ.get("HTTP_X_API_KEY")) if cacheable else None

    def lookup(self, key, _environ):
        body = "|".join(map(str, key)).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(body)
        return [head], body


@pytest.mark.parametrize("protocol", [CachingProtocol, PlainProtocol], ids=["httptools", "h11"])
def test_no_pipelined_request_gets_the_response_of_another(protocol):
    """5,000 requests of 30 connections and 7 keys, cached and made ones mixed, cut anywhere."""

    def application(environ, start_response):
        environ["wsgi.input"].read()
        if environ["PATH_INFO"].endswith("7"):
            time.sleep(0.002)
        body = f"{environ['PATH_INFO']}|{environ.get('HTTP_X_API_KEY')}".encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    chance, numbers, wrong = random.Random(3), itertools.count(), []

    def requests_of(count):
        for _ in range(count):
            kind = chance.choice(["/cached", "/cached", "/made"])
            number = chance.randrange(8) if kind == "/cached" else next(numbers)
            path, key = f"{kind}/{number}", f"key{chance.randrange(7)}"
            body = b"x" * chance.choice([0, 0, 5, 900])
            method = "POST" if body or (kind == "/made" and number % 3 == 0) else "GET"
            length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
            head = f"{method} {path} HTTP/1.1\r\n{HOST}x-api-key: {key}\r\n{length}\r\n"
            yield head.encode() + body, f"{path}|{key}".encode()

    def drive(connection, planned, seed):
        sent, cut = b"".join(data for data, _ in planned), random.Random(seed)

        def send():
            place = 0
            while place < len(sent):
                size = cut.choice([1, 7, 100, 1500, 9000])
                connection.sendall(sent[place : place + size])
                place += size

        sender = threading.Thread(target=send)
        sender.start()
        responses = ResponseReader(connection)
        wrong.extend(
            (expected, received)
            for (_, expected), received in ((one, responses.next()[2]) for one in planned)
            if expected != received
        )
        sender.join(WAIT_S)

    with served(application, protocol=protocol, cache=PathCache()) as server:
        plans = [list(requests_of(167)) for _ in range(30)]
        threads = [
            threading.Thread(target=drive, args=(server.connect(), plan, seed))
            for seed, plan in enumerate(plans)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)

    assert not any(one.is_alive() for one in threads)
    assert wrong == []
