"""Talking to the server by sockets, for what no client library sends."""

import json
import select
import socket
from collections.abc import Iterable

from deadringer.mockserver.server import Limits
from tests.mockserver.conftest import DEMO, KNOWN

KEY = f"Host: localhost\r\nx-api-key: {DEMO['x-api-key']}\r\n"
READ = f"GET {KNOWN} HTTP/1.1\r\n{KEY}\r\n".encode()
LIST = f"GET /v1/workflows HTTP/1.1\r\n{KEY}\r\n".encode()
TEST = "POST /v1/workflows/wf_abc123/test"
WAIT_S = 20
LIMITS = Limits()
Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
LARGE = 5000
"""Steps of an execution that no system's buffers hold."""


def readable(files: Iterable[socket.socket], wait_s: float) -> list[socket.socket]:
    """Those that can be read from, as soon as there is one; the number of a file may be high."""
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    found = {number for number, _ in poll.poll(1000 * wait_s)}
    return [file for file in files if file.fileno() in found]


class ResponseReader:
    """Reads responses from a connection, one after the other: status, headers, body."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def next(self) -> Response:
        status = int(self._file.readline().split()[1])
        lines = iter(self._file.readline, b"\r\n")
        headers = dict(line.decode().rstrip().lower().split(": ", 1) for line in lines)
        return status, headers, self._file.read(int(headers.get("content-length", 0)))

    def rest(self) -> bytes:
        return self._file.read()

    def close(self) -> None:
        self._file.close()


def error_of(response: Response) -> tuple[int, str]:
    status, headers, body = response
    error = json.loads(body)["error"]
    assert headers["connection"] == "close"
    assert error["suggestion"]
    return status, error["message"]
