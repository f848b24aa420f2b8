"""Transport faults, seen by the client's socket: what arrives, and how the connection ends."""

import socket
import ssl
import struct
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.conftest import DEMO_KEY, KNOWN

WAIT_S = 20
SOON_S = 0.5
ENDING = ("reset", "truncate", "empty", "garbage", "wrong-length")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a context that trusts a certificate, and the options to serve with it."""
    import trustme

    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1", "::1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context, ("--ssl-certfile", str(folder / "server.pem"))


class Secure:
    """TLS over a socket whose end can be seen: `ssl.SSLSocket` takes a reset for an end."""

    def __init__(self, plain, context, name):
        self._plain = plain
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._until_done(self._tls.do_handshake)
        self.settimeout = plain.settimeout

    def sendall(self, data):
        self._tls.write(data)
        self._plain.sendall(self._out.read())

    def recv(self, most):
        try:
            return self._until_done(lambda: self._tls.read(most))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._plain.sendall(self._out.read())
                data = self._plain.recv(65_536)
                self._in.write(data) if data else self._in.write_eof()
            finally:
                if self._out.pending:
                    self._plain.sendall(self._out.read())


@pytest.fixture(scope="module", params=["tcp", "tls"])
def wire(request, start_server, certificate):
    """Return the URL of a server, and a function that connects to it."""
    context, options = certificate
    is_tls = request.param == "tls"
    url = start_server("--log-format", "off", *(options if is_tls else ())).url
    parts = urlsplit(url)

    @contextmanager
    def connected():
        with socket.create_connection((parts.hostname, parts.port), WAIT_S) as plain:
            if not is_tls:
                yield plain
                return
            yield Secure(plain, context, parts.hostname)

    return connected


def send(connection, fault, method="GET"):
    prefer = f"Prefer: fault={fault}\r\n" if fault else ""
    head = f"{method} {KNOWN} HTTP/1.1\r\nHost: mock\r\nx-api-key: {DEMO_KEY}\r\n{prefer}\r\n"
    connection.sendall(head.encode())


def received(connection):
    """Return all bytes, and "reset" or "end", as the connection ends."""
    data = b""
    while True:
        try:
            piece = connection.recv(65_536)
        except ConnectionResetError:
            return data, "reset"
        if not piece:
            return data, "end"
        data += piece


def split(data):
    """Return the head, the length that it announces and the body."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    return head, length, body


def test_a_reset_resets_the_connection_in_the_body(wire):
    with wire() as connection:
        send(connection, "reset")
        data, end = received(connection)

    head, length, body = split(data)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 0 < len(body) < length
    assert end == "reset"


def test_a_truncated_response_ends_in_the_body(wire):
    with wire() as connection:
        send(connection, "truncate")
        data, end = received(connection)

    head, length, body = split(data)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 0 < len(body) < length
    assert end == "end"


def test_an_empty_response_has_no_byte(wire):
    with wire() as connection:
        send(connection, "empty")

        assert received(connection) == (b"", "end")


def test_a_hang_sends_nothing_and_keeps_the_connection(wire):
    with wire() as connection:
        send(connection, "hang")
        connection.settimeout(SOON_S)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_drip_trickles(wire):
    with wire() as connection:
        send(connection, "drip")
        began, moments, data = time.monotonic(), [], b""
        while not data or len(split(data)[2]) < split(data)[1]:
            data += connection.recv(65_536)
            moments.append(time.monotonic() - began)

    assert len(moments) >= 10
    assert moments[-1] - moments[0] > 2


def test_garbage_is_no_http(wire):
    with wire() as connection:
        send(connection, "garbage")
        data, end = received(connection)

    assert len(data) == 512
    assert b"HTTP/1.1" not in data
    assert end == "end"


def test_a_wrong_length_is_more_than_the_whole_body(wire):
    with wire() as connection:
        send(connection, "")
        _, length, body = split(connection.recv(65_536))
        while len(body) < length:
            body += connection.recv(65_536)
        send(connection, "wrong-length")
        data, end = received(connection)

    _, announced, sent = split(data)
    assert sent == body
    assert announced == len(body) + 100
    assert end == "end"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_slow_headers_come_line_by_line_and_make_a_whole_response(wire, method):
    with wire() as connection:
        send(connection, "slow-headers", method)
        pieces, began = [connection.recv(65_536)], time.monotonic()
        data, end = received(connection)
        spent_s = time.monotonic() - began

    head, length, body = split(pieces[0] + data)
    assert b"\r\n\r\n" not in pieces[0]
    assert spent_s > 2
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(body) == (length if method == "GET" else 0)
    assert end == "end"


@pytest.mark.parametrize("fault", ENDING)
def test_a_fault_strikes_where_the_response_is_cached(wire, fault):
    with wire() as connection:
        for _ in range(2):  # the second one is cached
            send(connection, "")
            head, length, body = split(connection.recv(65_536))
            while len(body) < length:
                body += connection.recv(65_536)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        send(connection, fault)
        data, end = received(connection)

    assert not data.startswith(b"HTTP/1.1 200 OK") or len(split(data)[2]) < split(data)[1]
    assert end == ("reset" if fault == "reset" else "end")


def test_a_fault_can_be_set_with_its_parameters(start_server):
    url = start_server("--log-format", "off").url
    faults = [
        {"kind": "garbage", "bytes": 7, "count": 1},
        {"kind": "wrong-length", "extra": 3},
        {"kind": "slow-headers", "over_ms": 10},
    ]
    parts, found = urlsplit(url), []
    for fault in faults:
        set_ = httpx.post(f"{url}/__mock/faults", json=fault)
        assert set_.status_code == 201, set_.text
        with socket.create_connection((parts.hostname, parts.port), WAIT_S) as connection:
            send(connection, "")
            found.append(received(connection)[0])
        httpx.delete(f"{url}/__mock/faults/{set_.json()['id']}")

    assert len(found[0]) == 7
    assert split(found[1])[1] == len(split(found[1])[2]) + 3
    assert split(found[2])[1] == len(split(found[2])[2])


def test_a_client_that_resets_during_slow_headers_disturbs_no_other(start_server):
    url = start_server("--log-format", "off").url
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), WAIT_S) as connection:
        send(connection, "slow-headers")
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert httpx.get(url + KNOWN, headers={"x-api-key": DEMO_KEY}).is_success
