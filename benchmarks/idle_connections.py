"""Many idle connections: whether the server survives, and the memory cost."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import wrk
from .body import KEY_HEADER
from .own_responses import mock
from .processes import Running

COUNT = 10_000
_SPARE = 500
_TIMEOUT_S = 3


@dataclass(frozen=True)
class Idle:
    """Requests a second without and with the idle connections, and how many of these still work."""

    opened: int
    without: float
    with_idle: float
    still_served: int
    memory_mb: float
    """Memory per thousand connections."""


def idle_connections(*, seconds: int, count: int = COUNT) -> Idle:
    """Open connections, use each once, load the server over others, then use each again.

    Stop opening at the first connection without a response.
    """
    _raise_limit()
    able = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)
    room = f"connections={count + _SPARE}"
    with mock("--no-control", "--rate-limit", "off", "--limit", room) as running:
        without = _rate(running, seconds)
        before = running.memory_mb()
        with _opened(running, able) as idle:
            memory = running.memory_mb() - before
            loaded = _rate(running, seconds)
            alive = sum(_responds(one, running) for one in idle)
            return Idle(len(idle), without, loaded, alive, memory * 1000 / max(1, len(idle)))


def _rate(running: Running, seconds: int) -> float:
    return wrk.load(running.url, seconds, [KEY_HEADER]).per_second


def _raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def _opened(running: Running, count: int) -> Iterator[list[socket.socket]]:
    idle: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", running.port), _TIMEOUT_S)
            idle.append(connection)
            if not _responds(connection, running):
                break
        yield idle
    finally:
        for connection in idle:
            connection.close()


def _responds(connection: socket.socket, running: Running) -> bool:
    head = f"GET {running.path} HTTP/1.1\r\nHost: localhost\r\n{KEY_HEADER}\r\n\r\n"
    try:
        connection.sendall(head.encode())
        response = b""
        while not response.endswith(b"}"):
            part = connection.recv(1 << 16)
            if not part:
                return False
            response += part
    except OSError:
        return False
    return response.startswith(b"HTTP/1.1 200") and response.endswith(b"}}")
