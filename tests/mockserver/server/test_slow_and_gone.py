"""Clients that are slow, read no response or break off: they disturb no other, nor the stop."""

import json
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.conftest import DEMO, KNOWN, wait_for_held
from tests.mockserver.server.raw import (
    KEY,
    LARGE,
    LIMITS,
    LIST,
    READ,
    TEST,
    WAIT_S,
    ResponseReader,
    error_of,
    readable,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--log-format", "off")


def test_bodies_take_only_so_much_memory_together(connect, connection):
    first = bodies_that_stand_still(connect)
    refused = readable(first, WAIT_S)
    assert [error_of(ResponseReader(one).next())[0] for one in refused] == [503]
    for one in first:  # which frees what they took
        one.close()
    second = bodies_that_stand_still(connect)
    connection.sendall(READ)

    assert ResponseReader(connection).next()[0] == 200
    message = [error_of(ResponseReader(one).next())[0] for one in second]
    assert sorted(message) == [408] * (len(second) - 1) + [503]


def bodies_that_stand_still(connect):
    """Connections that send more than may be held, each all of its body but the last byte."""
    head = f"{TEST} HTTP/1.1\r\n{KEY}Content-Length: {LIMITS.body_bytes}\r\n\r\n".encode()
    sent = head + bytes(LIMITS.body_bytes - 1)
    senders = [connect() for _ in range(LIMITS.held_bytes // LIMITS.body_bytes + 1)]
    for sender in senders:
        threading.Thread(target=send, args=(sender, sent), daemon=True).start()
    return senders


def send(sender, data):
    with suppress(OSError):  # one that was refused, or is closed
        sender.sendall(data)


@pytest.mark.parametrize(
    ("prefer", "times"), [(f"steps={LARGE}", 3), (f"steps={LARGE}, fault=drip", 1)]
)
def test_a_client_that_reads_slowly_delays_no_other_and_gets_all(
    connect, connection, prefer, times
):
    slow = connect()
    slow.sendall((READ[:-2] + f"Prefer: {prefer}\r\n\r\n".encode()) * times)
    time.sleep(1)
    connection.sendall(READ)
    assert ResponseReader(connection).next()[0] == 200

    responses = ResponseReader(slow)
    bodies = {responses.next()[2] for _ in range(times)}
    assert len(bodies) == 1
    assert len(json.loads(bodies.pop())["data"]["steps"]) == LARGE


def test_a_last_response_reaches_a_client_that_reads_slowly(connect):
    request = READ[:-2] + f"Prefer: steps={LARGE}\r\nConnection: close\r\n\r\n".encode()
    slow = connect()
    slow.sendall(request[:50])
    time.sleep(0.1)  # so that the server looks at it now and then
    slow.sendall(request[50:])
    time.sleep(4)

    status, _, body = ResponseReader(slow).next()
    assert (status, len(json.loads(body)["data"]["steps"])) == (200, LARGE)


@pytest.mark.parametrize("is_reset", [True, False])
def test_a_client_that_hangs_up_in_the_middle_disturbs_no_other(start_server, is_reset):
    server = start_server("--log-format", "off")
    parts = urlsplit(server.url)
    with ExitStack() as stack:
        leavers = []
        for prefer in ("delay=600", "fault=hang", f"steps={LARGE}", f"steps={LARGE}, fault=drip"):
            leaver = socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S)
            leavers.append(stack.enter_context(leaver))
            leaver.sendall((READ[:-2] + f"Prefer: {prefer}\r\n\r\n".encode()) * 2)
        wait_for_held(server, len(leavers))
        for leaver in leavers:
            if is_reset:
                leaver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert httpx.get(server.url + KNOWN, headers=DEMO).is_success

    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_a_client_that_left_holds_no_thread(connect, connection):
    for _ in range(LIMITS.threads + 8):
        with connect() as leaver:
            leaver.sendall(READ[:-2] + b"Prefer: fault=hang\r\n\r\n")
    connection.sendall(LIST)

    assert ResponseReader(connection).next()[0] == 200


def test_a_client_that_never_stops_sending_cannot_prevent_a_stop(start_server):
    server = start_server("--log-format", "off")
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S) as connection:
        connection.sendall(READ + READ[:20])
        responses = ResponseReader(connection)
        assert responses.next()[0] == 200
        server.process.terminate()
        time.sleep(0.2)
        connection.sendall(READ[20:] + READ[:20])
        status, headers, _ = responses.next()
        assert (status, headers["connection"]) == (200, "close")
        assert responses.rest() == b""

    assert server.process.wait(WAIT_S) == 0


@pytest.mark.parametrize("missing", [["uvloop"], ["uvloop", "httptools"]])
def test_it_serves_where_the_fast_packages_are_missing(start_server, tmp_path, missing):
    for name in missing:
        (tmp_path / f"{name}.py").write_text("raise ImportError('not on this system')")
    server = start_server(PYTHONPATH=str(tmp_path))
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S) as connection:
        connection.sendall(READ + READ[:-2] + b"Prefer: delay=100\r\n\r\n" + READ + b"\r\nx\r\n")
        responses = ResponseReader(connection)
        message = [responses.next() for _ in range(4)]
        assert responses.rest() == b""

    assert [status for status, _, _ in message] == [200, 200, 200, 400]
    assert message[0][2] == message[1][2] == message[2][2]
    assert server.stop() == 0
