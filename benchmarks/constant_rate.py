"""Send one request at a constant rate and report the latency of the responses.

The load is open: request n is due at start + n / rate, independent of earlier requests, and its
latency is measured from that moment, not from when a connection was free. A stall thus counts for
every request that had to wait, which avoids coordinated omission. The loop spins on its core
instead of sleeping, so that it sends on time; `late_p99` is its delay when a connection was free.

The driver itself is stopped when the host takes its core away. That is not the server's fault, so
the driver's clock stops too. `stopped` is the duration.

Run: `python -m benchmarks.constant_rate URL RATE SECONDS HEADER...`.
"""

import gc
import json
import select
import socket
import sys
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

CONNECTIONS = 64
_LEAD_S = 0.05
_TIMEOUT_S = 2.0
_TAIL = 24
_MOST_READ = 1 << 18
_STOPPED_S = 0.005
"""A longer iteration of the loop means that the driver was stopped; the longest normal one takes
half.
"""


@dataclass
class Course:
    """The measurements of one run; times in seconds."""

    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    stopped: float = 0.0
    wrong: int = 0
    unserved: int = 0


def request_at(url: str, rate: float, seconds: float, headers: list[str]) -> Course:
    """Send requests at a rate for a time; every response must end like the first one."""
    address = urlsplit(url)
    lines = [f"GET {address.path} HTTP/1.1", f"Host: {address.netloc}", *headers, "", ""]
    request = "\r\n".join(lines).encode()
    place = (address.hostname or "", address.port or 80)
    tail = _first_response(place, request)[-_TAIL:]
    driver = _Driver(place, request, tail)
    gc.disable()
    try:
        return driver.run(rate, int(rate * seconds))
    finally:
        driver.close()


def _first_response(place: tuple[str, int], request: bytes) -> bytes:
    once = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_connection(place) as connection:
        connection.sendall(once)
        parts = list(iter(lambda: connection.recv(1 << 16), b""))
    return b"".join(parts)


class _Driver:
    def __init__(self, place: tuple[str, int], request: bytes, tail: bytes) -> None:
        self._request = request
        self._tail = tail
        self._connections = [socket.create_connection(place) for _ in range(CONNECTIONS)]
        self._buffer = bytearray(_MOST_READ)
        self._poll = select.epoll()
        for connection in self._connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            self._poll.register(connection, select.EPOLLIN)
        self._of = {connection.fileno(): connection for connection in self._connections}

    def run(self, rate: float, count: int) -> Course:
        """Send `count` requests, each when it is due or as soon as a connection is free."""
        course = Course()
        idle, due_of, was_idle_since = list(self._connections), {}, dict.fromkeys(self._of, 0.0)
        begin, sent = perf_counter() + _LEAD_S, 0
        last = begin + count / rate + _TIMEOUT_S
        before = perf_counter()
        while sent < count or due_of:
            now = perf_counter()
            if now - before > _STOPPED_S:
                stopped = now - before
                course.stopped += stopped
                begin, last = begin + stopped, last + stopped
                due_of = {handle: due + stopped for handle, due in due_of.items()}
            before = now
            if now > last:
                break
            while idle and sent < count and (due := begin + sent / rate) <= now:
                connection = idle.pop()
                handle = connection.fileno()
                connection.send(self._request)
                due_of[handle] = due
                course.lateness.append(now - max(due, was_idle_since[handle]))
                sent += 1
            for handle, _ in self._poll.poll(0):
                if self._is_whole(handle, course):
                    now = perf_counter()
                    course.latencies.append(now - due_of.pop(handle))
                    was_idle_since[handle] = now
                    idle.append(self._of[handle])
        course.unserved = count - sent + len(due_of)
        return course

    def _is_whole(self, handle: int, course: Course) -> bool:
        # Reuse one buffer: a new one of this size would be mapped for each read.
        data, size = self._buffer, self._of[handle].recv_into(self._buffer)
        if not size:
            raise ConnectionError("The server closed a connection under load.")
        if data.startswith(b"HTTP/") and not data.startswith(b"200", 9):
            course.wrong += 1
        return data.startswith(self._tail, max(0, size - _TAIL), size)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()


def quantile(ordered: list[float], share: float) -> float:
    """Return the quantile of ordered values: the value above a share of them."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _summary(course: Course) -> dict[str, float]:
    ordered, late = sorted(course.latencies), sorted(course.lateness)
    return {
        "served": len(ordered),
        "stopped": course.stopped,
        "wrong": course.wrong,
        "unserved": course.unserved,
        "p50": quantile(ordered, 0.5),
        "p99": quantile(ordered, 0.99),
        "late_p99": quantile(late, 0.99),
    }


if __name__ == "__main__":
    target, per_second, duration, *head = sys.argv[1:]
    print(json.dumps(_summary(request_at(target, float(per_second), float(duration), head))))
