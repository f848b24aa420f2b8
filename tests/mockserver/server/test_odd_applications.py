"""The server with applications that do what ours does not, or seldom."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.machine import NO_TLS
from tests.mockserver.server.raw import KEY, WAIT_S, ResponseReader

BEGIN = """
import json, threading, time
from deadringer.mockserver.server import Limits, base_url, bind, serve

def error_body(status, message, fix):
    return json.dumps({"error": {"code": "X", "message": message, "suggestion": fix}}).encode()

cache, limits = None, Limits(threads=8)
"""
END = """
listeners = bind("127.0.0.1", 0)
ready = lambda: print(base_url(listeners), flush=True)
serve(application, listeners, error_body, on_ready=ready, cache=cache, limits=limits)
"""
HEAD = f"HTTP/1.1\r\n{KEY}\r\n"


@contextmanager
def serving(program, most_files=None):
    """Yield a process that serves the application of a program, and its URL."""
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


def test_a_response_is_made_where_the_cache_fails():
    """As when what lies behind them fails for a moment."""
    program = """
class Cache:
    def key_of(self, environ):
        return environ["PATH_INFO"]

    def lookup(self, key, environ):
        raise OSError("for a moment")

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"made"]

cache = Cache()
"""
    with serving(program) as (process, url):
        with httpx.Client(verify=NO_TLS, base_url=url) as client:
            assert [client.get("/").text for _ in range(3)] == ["made"] * 3
        process.terminate()
        _, message = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert message.count("OSError: for a moment") == 3


ANNOUNCES = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", {announced!r})])
    return {kind}({pieces!r})
"""


@pytest.mark.parametrize("kind", ["list", "iter"])
@pytest.mark.parametrize("pieces", [[b"on", b"e"], [b"one"]])
def test_a_body_longer_than_announced_does_not_run_into_the_next_response(kind, pieces):
    program = ANNOUNCES.format(announced="2", kind=kind, pieces=pieces)
    with serving(program) as (_, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode() * 2)
        responses = ResponseReader(connection)

        assert [responses.next()[2], responses.next()[2]] == [b"on", b"on"]


@pytest.mark.parametrize("kind", ["list", "iter"])
def test_after_a_body_shorter_than_announced_comes_no_other_response(kind):
    program = ANNOUNCES.format(announced="4", kind=kind, pieces=[b"on", b"e"])
    with serving(program) as (_, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode() * 2)
        status, headers, body = ResponseReader(connection).next()

    assert (status, headers["content-length"], body) == (200, "4", b"one")


@pytest.mark.parametrize(
    "failing",
    ['raise ValueError("not today")', "return []", 'start_response("200 OK", []); return [1]'],
)
def test_an_application_that_fails_is_a_500_and_the_server_goes_on(failing):
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
limits, meet, under_way, most = Limits(threads=2), threading.Barrier(2), [], []

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
        message = [ResponseReader(connection).next() for connection in waiting]
        waiting[0].sendall(f"GET /most {HEAD}".encode())

        assert [status for status, _, _ in message] == [200] * 6
        assert ResponseReader(waiting[0]).next()[2] == b"2"


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


def test_an_application_that_is_stuck_cannot_keep_the_server_from_stopping():
    program = """
limits = Limits(stop_s=0.3)

def application(environ, start_response):
    time.sleep(600)
"""
    with serving(program) as (process, url), connected(url) as connection:
        connection.sendall(f"GET / {HEAD}".encode())
        time.sleep(0.5)
        process.terminate()

        assert process.wait(WAIT_S) == 0
        assert "Broke off 1 connection(s): 0.3 seconds were not enough" in process.stderr.read()


def test_threads_that_keep_the_interpreter_busy_cannot_keep_the_process_from_ending():
    program = """
limits, body = Limits(stop_s=1), bytes(2**26)

def application(environ, start_response):
    while True:
        body[1:]
"""
    with serving(program) as (process, url), ExitStack() as stack:
        for _ in range(6):
            connection = stack.enter_context(connected(url))
            connection.sendall(f"GET / {HEAD}".encode())
        time.sleep(1)
        began = time.monotonic()
        process.terminate()

        assert process.wait(WAIT_S) in {0, 1}
        assert time.monotonic() - began < 5
