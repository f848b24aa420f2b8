"""Servers for tests: a process of its own, or the application on a port of this process."""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from deadringer.fixtures import load_recordings
from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.server import wire
from tests.machine import NO_TLS
from tests.mockserver.redis_server import RedisServer
from tests.mockserver.twins import Twins

DEMO = {"x-api-key": DEMO_KEY}
_COMPLETED = next(
    recording.execution
    for recording in load_recordings()
    if recording.execution["status"] == "completed"
)
KNOWN = f"/v1/workflows/{_COMPLETED['workflow_id']}/executions/{_COMPLETED['run_id']}"


@dataclass
class ServerProcess:
    """One `python -m deadringer serve` that accepts requests."""

    process: subprocess.Popen[str]
    banner: str
    log_file: Path
    url: str = field(init=False)

    def __post_init__(self) -> None:
        found = re.search(r"(https?://|unix:)\S+", self.banner)
        assert found
        self.url = found[0]

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(20)


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment without variables of deadringer, plus `variables`."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith("DEADRINGER_")}
    return {**rest, **variables}


def serve_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "deadringer", "serve", *options]


StartServer = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def start_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., ServerProcess]]:
    """Start a server on a free port with further options, in an empty folder or in `folder`.

    With `own_group` its processes are a group, which can be sent a signal as by a terminal.
    """
    with ExitStack() as stack:

        def start(
            *options: str, folder: Path | None = None, own_group: bool = False, **variables: str
        ) -> ServerProcess:
            place = folder or tmp_path_factory.mktemp("server")
            log_file = tmp_path_factory.mktemp("log") / "stderr.log"
            log = stack.enter_context(log_file.open("w"))
            process = stack.enter_context(
                subprocess.Popen(
                    serve_command("--port", "0", *options),
                    cwd=place,
                    env=clean_environment(**variables),
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    process_group=0 if own_group else None,
                )
            )
            stack.callback(process.terminate)
            assert process.stdout
            banner = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
            assert "serves on" in banner, log_file.read_text()
            return ServerProcess(process, banner, log_file)

        yield start


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> ServerProcess:
    """A server with default settings, shared by the tests that only read."""
    return start_server()


@pytest.fixture(scope="session")
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of the shared server that sends the demo key."""
    with httpx.Client(verify=NO_TLS, base_url=server.url, headers=DEMO) as client:
        yield client


@pytest.fixture(scope="session")
def keyless(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of the shared server that sends no key."""
    with httpx.Client(verify=NO_TLS, base_url=server.url) as client:
        yield client


@pytest.fixture
def connect(server: ServerProcess) -> Iterator[Callable[[], socket.socket]]:
    """Return a function that opens connections to the module's server, closed after the test."""
    parts = urlsplit(server.url)
    with ExitStack() as stack:

        def connect() -> socket.socket:
            connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
            return stack.enter_context(connection)

        yield connect


@pytest.fixture
def connection(connect: Callable[[], socket.socket]) -> socket.socket:
    """A connection to the server of the module."""
    return connect()


@pytest.fixture
def refused_start(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a server that cannot start; return the finished process."""

    def start(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            serve_command(*options),
            cwd=tmp_path,
            env=clean_environment(**variables),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return start


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server that no test stops; each test uses names of its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


class SettableClock:
    """A clock that is frozen until it is advanced."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 27, 10, 15, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


class _QuietHandler(WSGIRequestHandler):
    """A handler whose requests have their connection in the environ, as with our server."""

    given_up = threading.Event()

    def write_raw(self, data: bytes) -> None:
        self.wfile.write(data)

    def run_wsgi(self) -> None:
        wire.attach(self)
        try:
            super().run_wsgi()
        finally:
            wire.attach(None)

    def log(self, *_arguments: object) -> None:
        """Log nothing; the application has a log of its own."""


def _require_none(differences: list[Any]) -> None:
    message = [f"{number} {str(one)[:400]}" for number, one in enumerate(differences)]
    assert not message, f"a cached response differs: {message[0]}"


@pytest.fixture
def over_http() -> Iterator[Callable[[Flask], httpx.Client]]:
    """Serve an application on a free port of this process; return a client that sends the key.

    Every test that uses it also tests that cached responses equal those of the application.
    """
    with ExitStack() as stack:

        def serve(app: Flask) -> httpx.Client:
            twins = Twins(app)
            stack.callback(twins.close)
            stack.callback(lambda: _require_none(twins.differences))
            http_server = make_server(
                "127.0.0.1", 0, twins, threaded=True, request_handler=_QuietHandler
            )
            stack.callback(http_server.server_close)
            thread = threading.Thread(target=http_server.serve_forever, args=(0.02,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(http_server.shutdown)
            url = f"http://127.0.0.1:{http_server.server_port}"
            client = stack.enter_context(httpx.Client(verify=NO_TLS, base_url=url, headers=DEMO))
            client.twins = twins  # type: ignore[attr-defined]
            return client

        yield serve


@pytest.fixture
def serve_scenario(
    over_http: Callable[[Flask], httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., httpx.Client]:
    """Serve a scenario without the delays of its faults, which the journal reports."""
    monkeypatch.setattr("deadringer.mockserver.faults.transport.pause", lambda _seconds: None)

    def serve(scenario: Any = None, clock: Any = None, **settings: Any) -> httpx.Client:
        chosen = Settings(rate_limit="off", scenario=scenario, **settings)
        return over_http(build_app(chosen, clock=clock or SettableClock()))

    return serve


def wait_for_held(server: ServerProcess, requests: int) -> None:
    """Wait until so many requests without a response have arrived, by the rate window."""
    for requested in itertools.count(1):
        headers = httpx.get(f"{server.url}/v1/credits/balance", headers=DEMO, timeout=20).headers
        counted = int(headers["RateLimit-Limit"]) - int(headers["RateLimit-Remaining"])
        if counted >= requested + requests:
            return
