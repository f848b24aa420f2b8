"""The process that serves: what it loads, and how many requests it handles at a time."""

import importlib.util
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests.mockserver.conftest import (
    DEMO,
    KNOWN,
    clean_environment,
    serve_command,
    wait_for_held,
)

pytestmark = pytest.mark.slow

CONNECTIONS = 4_000
LOADED = {
    *("blinker", "click", "deadringer", "flask", "flask_cors", "httptools"),
    *("anyio", "itsdangerous", "jinja2", "markupsafe", "uvicorn", "uvloop"),
    *("watchfiles", "werkzeug"),  # uvicorn loads the first, which loads anyio
}
"""What `deadringer serve` loads before its first response, beside the standard library.

A start costs what is in this list.
"""
LATER = {
    "deadringer.contracts.rules",
    "deadringer.fixtures.generator",
    "deadringer.mockserver.admin.control.routes",
    "deadringer.mockserver.admin.ui",
}
"""Our modules that are loaded when they are first used."""


def test_serving_loads_nothing_that_only_other_commands_need(tmp_path):
    environment = clean_environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    write = "from deadringer import contracts; contracts.load_specification()"
    subprocess.run([sys.executable, "-c", write], env=environment, check=True, timeout=60)
    log = tmp_path / "imports.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-v", *serve_command("--port", "0")[1:]],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    with process:
        banner = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        url = re.search(r"http://\S+", banner)[0]
        assert httpx.get(url + KNOWN, headers={**DEMO, "Accept-Encoding": "identity"}).is_success
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    modules = set(re.findall(r"^import '(\S+)' #", log.read_text("utf-8", "replace"), re.M))
    names = {name.split(".")[0] for name in modules}
    found = {name for name in names - sys.stdlib_module_names if importlib.util.find_spec(name)}

    assert {"flask", "httptools"} <= found
    assert modules.isdisjoint(LATER)
    assert found - LOADED <= {"sitecustomize", "_distutils_hack"}


def test_thousands_of_idle_connections_leave_room_for_one_more(start_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 200:
        pytest.skip(f"this system allows {hard} open files, the test needs {CONNECTIONS + 200}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = start_server("--log-format", "off")
    host, port = server.url.removeprefix("http://").split(":")
    request = f"GET {KNOWN} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {DEMO['x-api-key']}\r\n\r\n"

    connections = []
    try:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection((host, int(port)), timeout=20)
            connections.append(connection)
            connection.sendall(request.encode())
            assert connection.recv(16).startswith(b"HTTP/1.1 200")
        assert httpx.get(server.url + KNOWN, headers=DEMO, timeout=20).is_success
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert httpx.get(server.url + KNOWN, headers=DEMO, timeout=20).is_success
    assert server.stop() == 0


def test_a_request_in_progress_has_its_whole_response_when_the_server_stops(start_server):
    server = start_server()
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/workflows/wf_abc123/test HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"x-api-key: {DEMO['x-api-key']}\r\nPrefer: delay=60000\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        # The server sends it when it begins to read the body: the request is in progress.
        assert connection.recv(64).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")

        assert server.stop() == 0
        response = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert response.startswith(b"HTTP/1.1 200")
    assert b"test_run_id" in response


@pytest.fixture
def untaken():
    """Request more than the buffers of the system hold, and read nothing of it."""
    with ExitStack() as stack:

        def request_much(server):
            host, port = server.url.removeprefix("http://").split(":")
            request = f"GET {KNOWN} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {DEMO['x-api-key']}\r\n"
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((host, int(port)))
            connection.sendall(f"{request}Prefer: steps=5000\r\n\r\n".encode() * 4)
            assert connection.recv(16).startswith(b"HTTP/1.1 200")

        yield request_much


def test_a_client_that_reads_nothing_cannot_prevent_a_stop(start_server, untaken):
    server = start_server()
    untaken(server)

    assert server.stop() == 0
    assert "Waiting up to 7 seconds for 1 connection(s); Ctrl-C again" in server.log
    assert "Broke off 1 connection(s): 7 seconds were not enough" in server.log


@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["to all", "to one"])
def test_a_second_interrupt_ends_at_once_what_the_first_would_finish(start_server, untaken, send):
    server = start_server(own_group=True)
    untaken(server)
    with httpx.Client(base_url=server.url) as idle:
        assert idle.get("/").is_success
        while server.process.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                send(server.process.pid, signal.SIGINT)
            time.sleep(0.4)

    assert server.process.returncode == 0
    assert "Broke off 1 connection(s): interrupted again" in server.log


def test_one_interrupt_that_comes_by_two_ways_is_one(start_server):
    """As `timeout --foreground` passes on what the terminal has sent to all."""
    server = start_server(own_group=True)
    host, port = server.url.removeprefix("http://").split(":")
    lines = (f"GET {KNOWN} HTTP/1.1", f"Host: {host}", f"x-api-key: {DEMO['x-api-key']}")
    request = "\r\n".join((*lines, "Prefer: steps=5000", "", ""))
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request.encode())
        begun = connection.recv(16)
        for _ in range(2):
            os.killpg(server.process.pid, signal.SIGINT)
            time.sleep(0.05)
        response = begun + b"".join(iter(lambda: connection.recv(65_536), b""))

    assert server.process.wait(20) == 0
    assert response.endswith((b"}", b"0\r\n\r\n"))
    assert "Broke off" not in server.log


def test_variables_of_the_process_are_no_headers(start_server):
    server = start_server(HTTP_PREFER="code=404")

    assert httpx.get(server.url + KNOWN, headers=DEMO).status_code == 200


def test_requests_that_wait_delay_no_other(start_server):
    server = start_server("--log-format", "off", "--rate-policy", "9999/9999")
    host, port = server.url.removeprefix("http://").split(":")
    lines = (f"GET {KNOWN} HTTP/1.1", f"Host: {host}", f"x-api-key: {DEMO['x-api-key']}")
    held = "\r\n".join((*lines, "Prefer: fault=hang", "", "")).encode()
    half_sent = b"POST /__mock/faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n{"

    with ExitStack() as stack:
        for request in [held] * 60 + [half_sent] * 3:
            connection = socket.create_connection((host, int(port)), timeout=20)
            stack.enter_context(connection).sendall(request)
        wait_for_held(server, 60)

        assert httpx.get(server.url + KNOWN, headers=DEMO, timeout=20).is_success
        assert httpx.get(server.url + "/v1/workflows", headers=DEMO, timeout=20).is_success
    assert server.stop() == 0


def test_a_request_that_takes_a_while_is_finished_before_the_server_stops(start_server):
    server = start_server("--log-format", "off")
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"kind": "hang"}'
    lines = ("POST /__mock/faults HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}")

    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body[:1])
        time.sleep(0.5)  # so that it is under way
        server.process.terminate()
        time.sleep(2.5)  # longer than a stop takes otherwise
        connection.sendall(body[1:])
        response = connection.recv(65_536)

    assert response.startswith(b"HTTP/1.1 201 "), response
    assert server.process.wait(20) == 0
