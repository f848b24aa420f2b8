"""The server with applications that do what ours does not, or seldom."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from deadringer.mockserver.server.patience import Patience
from deadringer.mockserver.server.refusals import HEAD_PATIENCE_S, LONGEST_S, PATIENCE_S, UNREAD_S
from tests.machine import NO_TLS
from tests.mockserver.server.raw import KEY, WAIT_S, Answers

BEGIN = """
import threading, time
from deadringer.mockserver.server.run import base_url, bind, serve
kept, at_once = None, 8
"""
END = """
listener = bind("127.0.0.1", 0)
serve(application, listener, lambda: print(base_url(listener), flush=True), kept, at_once)
"""
HEAD = f"HTTP/1.1\r\n{KEY}\r\n"


@contextmanager
def serving(program, most_files=None):
    """Give a process that serves the application of a program, and its URL."""
    command = [sys.executable, "-c", BEGIN + program + END]
    if most_files:
        command = ["sh", "-c", f'ulimit -n {most_files} && exec "$@"', "sh", *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S)


def test_kept_answers_that_cannot_be_given_are_made():
    """As when what lies behind them fails for a moment."""
    program = """
class Kept:
    def asked(self, environ):
        return environ["PATH_INFO"]

    def answer(self, asked, environ):
        raise OSError("for a moment")

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"made"]

kept = Kept()
"""
    with serving(program) as (process, url):
        with httpx.Client(verify=NO_TLS, base_url=url) as client:
            assert [client.get("/").text for _ in range(3)] == ["made"] * 3
        process.terminate()
        _, told = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert told.count("OSError: for a moment") == 3


PROMISES = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", {promised!r})])
    return {kind}({pieces!r})
"""


@pytest.mark.parametrize("kind", ["list", "iter"])
@pytest.mark.parametrize("pieces", [[b"on", b"e"], [b"one"]])
def test_a_body_longer_than_promised_does_not_run_into_the_next_answer(kind, pieces):
    program = PROMISES.format(promised="2", kind=kind, pieces=pieces)
    with serving(program) as (_, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode() * 2)
        answers = Answers(connection)

        assert [answers.next()[2], answers.next()[2]] == [b"on", b"on"]


@pytest.mark.parametrize("kind", ["list", "iter"])
def test_after_a_body_shorter_than_promised_comes_no_other_answer(kind):
    program = PROMISES.format(promised="4", kind=kind, pieces=[b"on", b"e"])
    with serving(program) as (_, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode() * 2)
        status, headers, body = Answers(connection).next()

    assert (status, headers["content-length"], body) == (200, "4", b"one")


@pytest.mark.parametrize(
    "failing",
    ['raise ValueError("not today")', "return []", 'start_response("200 OK", []); return [1]'],
)
def test_an_application_that_fails_is_a_500_and_the_next_request_is_answered(failing):
    program = f"""
def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        {failing}
    start_response("200 OK", [])
    return [b"well"]
"""
    with serving(program) as (_, url), httpx.Client(verify=NO_TLS, base_url=url) as client:
        assert client.get("/fails").status_code == 500
        assert client.get("/").text == "well"


def test_requests_beyond_those_made_at_once_wait_for_their_turn():
    program = """
at_once, meet, under_way, most = 2, threading.Barrier(2), [], []

def application(environ, start_response):
    under_way.append(1)
    most.append(len(under_way))
    if environ["PATH_INFO"] == "/pair":
        meet.wait(10)
    under_way.pop()
    start_response("200 OK", [])
    return [str(max(most)).encode()]
"""
    with ExitStack() as stack:
        _, url = stack.enter_context(serving(program))
        waiting = [stack.enter_context(connected(url)) for _ in range(6)]
        for connection in waiting:
            connection.sendall(f"GET /pair {HEAD}".encode())
        told = [Answers(connection).next() for connection in waiting]
        waiting[0].sendall(f"GET /most {HEAD}".encode())

        assert [status for status, _, _ in told] == [200] * 6
        assert Answers(waiting[0]).next()[2] == b"2"


def test_the_server_recovers_from_having_no_file_left():
    program = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
"""
    with serving(program, most_files=64) as (_, url):
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(connected(url))
            time.sleep(0.5)
        assert httpx.get(url, timeout=WAIT_S).text == "well"


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="this system has no alarm")
def test_an_application_that_is_stuck_cannot_keep_the_server_from_stopping():
    program = """
def application(environ, start_response):
    time.sleep(600)
"""
    with serving(program) as (process, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode())
        time.sleep(0.5)
        process.terminate()

        assert process.wait(WAIT_S) == -signal.SIGALRM


def test_patience_has_an_end():
    patience = Patience()
    patience.begin()
    patience.begin_to_be_read()
    now = time.monotonic()

    def late(seconds, is_stopping=False):
        return patience.is_head_late(now + seconds, is_stopping=is_stopping)

    assert [late(HEAD_PATIENCE_S - 1), late(HEAD_PATIENCE_S + 1)] == [False, True]
    assert [late(PATIENCE_S - 1, True), late(PATIENCE_S + 1, True)] == [False, True]
    assert [patience.is_body_late(now + s) for s in (PATIENCE_S - 1, PATIENCE_S + 1)] == [0, 1]
    assert patience.is_unread(now + 1, 100) is False  # it has been taken up to here
    assert patience.is_unread(now + UNREAD_S, 100) is False
    assert patience.is_unread(now + UNREAD_S + 2, 0) is False
    assert patience.is_unread(now + UNREAD_S + 3, 100) is False
    assert patience.is_unread(now + 2 * UNREAD_S + 4, 100) is True


def test_a_body_that_goes_on_for_ever_is_late(monkeypatch):
    patience = Patience()
    patience.begin()
    begun = time.monotonic()
    for second in range(int(LONGEST_S)):
        monkeypatch.setattr(time, "monotonic", lambda: begun + second)  # noqa: B023 (at once)
        patience.go_on()
        assert patience.is_body_late(begun + second) is False

    assert patience.is_body_late(begun + LONGEST_S + 1) is True
