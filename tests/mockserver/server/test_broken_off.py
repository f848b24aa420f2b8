"""Responses that end before they are whole: by the application, the client or a stop.

uvicorn logs an error for a request without a whole response, and sends a 500. It must not do so for
an end that is meant: by a fault, a refusal, a client that leaves or a server that stops.
"""

import logging
import socket
import ssl
import struct
import threading
import time

import pytest
import trustme

from deadringer.mockserver.server import Certificate
from deadringer.mockserver.server.plain import PlainProtocol
from deadringer.mockserver.server.protocol import CachingProtocol
from deadringer.mockserver.server.wire import BrokenConnectionError, pause, write_raw
from tests.mockserver.server.raw import ResponseReader, error_of
from tests.mockserver.server.serving import HOST, WAIT_S, served

GET = f"GET / HTTP/1.1\r\n{HOST}\r\n".encode()
RESETS = struct.pack("ii", 1, 0)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    return Certificate(folder / "server.pem", None, folder / "ca.pem")


@pytest.fixture(params=[CachingProtocol, PlainProtocol], ids=["httptools", "h11"])
def protocol(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def options(request, protocol, certificate):
    return {"protocol": protocol, "certificate": certificate if request.param else None}


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Require that no error was logged."""
    with caplog.at_level(logging.DEBUG):
        yield
    errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert errors == []


def reset():
    raise BrokenConnectionError(is_reset=True)
    yield


def empty():
    raise BrokenConnectionError
    yield


def hang():
    pause(600)
    raise BrokenConnectionError
    yield


def garbage():
    write_raw(b"no HTTP")
    raise BrokenConnectionError
    yield


def truncate():
    yield b"some"
    raise BrokenConnectionError


def reset_in_the_body():
    yield b"some"
    pause(0.05)
    raise BrokenConnectionError(is_reset=True)


def application_of(pieces):
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "9")])
        return pieces()

    return application


def received(connection):
    """Return what arrives until the end, and whether that is a reset."""
    data = b""
    while True:
        try:
            piece = connection.recv(65_536)
        except (ConnectionResetError, ssl.SSLEOFError):
            return data, True
        if not piece:
            return data, False
        data += piece


@pytest.mark.parametrize("pieces", [reset, empty, garbage, truncate, reset_in_the_body])
def test_a_response_that_is_broken_off_is_not_logged_as_an_error(options, pieces):
    with served(application_of(pieces), **options) as one:
        connection = one.connect()
        connection.sendall(GET)
        data, is_reset = received(connection)

    if pieces is garbage:
        assert data == b"no HTTP"
    elif pieces in {truncate, reset_in_the_body}:
        assert data.endswith(b"\r\n\r\nsome")
    else:
        assert data == b""
    if options["certificate"] is None:  # `ssl.SSLSocket` takes a reset for an end
        assert is_reset == (pieces in {reset, reset_in_the_body})


@pytest.mark.parametrize("pieces", [hang, reset])
@pytest.mark.parametrize("is_reset", [True, False])
def test_a_client_that_leaves_is_not_logged_as_an_error(options, pieces, is_reset):
    has_begun, has_ended = threading.Event(), threading.Event()

    def application(environ, start_response):
        has_begun.set()
        time.sleep(0.1)
        yield from application_of(pieces)(environ, start_response)

    def noting(environ, start_response):
        try:
            yield from application(environ, start_response)
        finally:
            has_ended.set()

    with served(noting, **options) as one:
        connection = one.connect()
        connection.sendall(GET)
        assert has_begun.wait(WAIT_S)
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        connection.close()
        assert has_ended.wait(WAIT_S)
        time.sleep(0.1)


def test_a_stop_that_waits_no_longer_is_not_logged_as_an_error(options):
    has_begun, may_end = threading.Event(), threading.Event()

    def stuck(_environ, start_response):
        has_begun.set()
        may_end.wait(WAIT_S)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    with served(stuck, stop_s=0.3, **options) as one:
        connection = one.connect()
        connection.sendall(GET)
        assert has_begun.wait(WAIT_S)
        one.server.should_exit = True
        one.thread.join(WAIT_S)
        may_end.set()
        time.sleep(0.1)

        assert received(connection)[0] == b""


def test_a_client_that_does_not_confirm_the_end_of_tls_does_not_delay_a_stop(options):
    """As one whose connections are idle in a pool: it sees the end when it uses them again."""
    with served(linger_s=0.3, **options) as one:
        connection = one.connect()
        connection.sendall(GET)
        assert ResponseReader(connection).next()[0] == 200
        began = time.monotonic()
        one.server.should_exit = True
        one.thread.join(WAIT_S)

        assert time.monotonic() - began < 4


@pytest.mark.parametrize("wait_s", [0.0, 0.1])
def test_tasks_that_uvicorn_cancels_are_not_logged_as_errors(options, wait_s, caplog):
    """As when the event loop was held up while the time of a stop passed."""
    has_begun, may_end = threading.Event(), threading.Event()

    def stuck(_environ, _start_response):
        has_begun.set()
        may_end.wait(WAIT_S)
        raise BrokenConnectionError

    with served(stuck, **options) as one:
        one.server.config.timeout_graceful_shutdown = wait_s
        connection = one.connect()
        connection.sendall(GET)
        assert has_begun.wait(WAIT_S)
        one.server.should_exit = True
        assert received(connection)[0] == b""
        one.thread.join(WAIT_S)
        may_end.set()

    (own,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert own.getMessage().startswith("Cancel 1 running task(s)")
    caplog.clear()


@pytest.mark.parametrize("coding", ["Content-Length: 11", "Transfer-Encoding: chunked"])
def test_a_refusal_is_the_only_response_of_a_client_that_waits(options, coding):
    """What came before it may be a 100, where the server began to read; what follows may not."""
    head = f"POST / HTTP/1.1\r\n{HOST}{coding}\r\nExpect: 100-continue\r\n\r\n"
    with served(body_bytes=10, linger_s=0.3, **options) as one:
        connection = one.connect()
        connection.sendall(head.encode())
        responses = ResponseReader(connection)
        response = responses.next()
        if coding.startswith("Transfer"):
            assert response[0] == 100
            connection.sendall(b"b\r\n" + bytes(11) + b"\r\n")
            response = responses.next()

        assert error_of(response)[0] == 413
        try:
            assert responses.rest() == b""
        except (ConnectionResetError, ssl.SSLEOFError):
            assert options["certificate"]  # there, only the whole connection can be closed


def test_a_refused_request_behind_another_gets_one_refusal(protocol):
    """Its head is refused, and its body never ends."""
    with served(body_idle_s=0.2, protocol=protocol) as one:
        connection = one.connect()
        connection.sendall(
            GET + b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 9\r\n\r\n1"
        )
        responses = ResponseReader(connection)
        assert responses.next()[0] == 200
        time.sleep(0.5)

        assert error_of(responses.next())[0] in {400, 408}
        assert responses.rest() == b""
