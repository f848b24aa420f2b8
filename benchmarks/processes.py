"""Start servers on selected cores, wait for them, measure their memory and stop them."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER_CORE, LOAD_CORE = "0", "1"
_TIMEOUT_S = 60.0
_PAUSE_S = 0.002
_LOOK_EVERY_S = 0.25


class WrongResponseError(Exception):
    """A server did not start, or did not send the expected response."""


@dataclass
class Running:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    path: str
    start_s: float
    """Seconds from spawning it to its first correct response."""

    @property
    def url(self) -> str:
        """Return the URL of its response."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def memory_mb(self) -> float:
        """Return the memory of it and its children in MB; shared pages count by their share."""
        return process_tree_mb(self.process.pid)


def pinned(command: Sequence[str], cores: str) -> list[str]:
    """Return the command limited to these cores (`0`, `0,1`), if the machine has them."""
    has_them = {int(core) for core in cores.split(",")} <= os.sched_getaffinity(0)
    able = has_them and shutil.which("taskset")
    return ["taskset", "-c", cores, *command] if able else [*command]


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str],
    path: str,
    *,
    port: int,
    expected: Any = None,
    headers: Mapping[str, str] | None = None,
    cores: str = SERVER_CORE,
) -> Iterator[Running]:
    """Run a server until the block ends; `expected` is the JSON that it must return at `path`.

    Raises:
        WrongResponseError: if it ends, is too slow, or returns something else.
    """
    with tempfile.TemporaryFile() as log:
        begin = time.perf_counter()
        process = subprocess.Popen(
            pinned(command, cores),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=_usual_environment(),
            start_new_session=True,
        )
        try:
            status, body = _first_response(process, port, path, headers or {})
            running = Running(process, port, path, time.perf_counter() - begin)
            _check(status, body, expected)
            yield running
        except WrongResponseError as error:
            log.seek(0)
            output = log.read()[-300:].decode(errors="replace").strip()
            raise WrongResponseError(f"{error} {output}".strip()) from error
        finally:
            stop(process)


def _usual_environment() -> dict[str, str]:
    """Return the environment; Python caches byte code, as it does for users."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _first_response(
    process: "subprocess.Popen[bytes]", port: int, path: str, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise WrongResponseError(f"It ended with {process.returncode} too early.")
        try:
            return get(port, path, headers)
        except (OSError, http.client.HTTPException):
            time.sleep(_PAUSE_S)
    raise WrongResponseError(f"No response within {_TIMEOUT_S:.0f} s.")


def _check(status: int, body: bytes, expected: Any) -> None:
    if status != 200:
        raise WrongResponseError(f"It returned {status}, not 200.")
    try:
        received = json.loads(body) if expected is not None else None
    except ValueError as error:
        raise WrongResponseError("Its response is not JSON.") from error
    if received != expected:
        raise WrongResponseError("It returned another body.")


def get(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send one GET request on a new connection; return (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        # Like wrk: without the Accept-Encoding that the client would add.
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process and its children."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wanted)
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            process.wait()
        return


def watched(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its seconds and the most memory of its processes, in MB.

    Raises:
        CalledProcessError: if it fails.
    """
    begin, most = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, process_tree_mb(process.pid))
            time.sleep(_LOOK_EVERY_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - begin, most


def process_tree_mb(pid: int) -> float:
    """Return the memory in MB of a process and its descendants, shared pages by their share."""
    return sum(map(_megabytes, _process_tree(pid)))


def process_tree_cpu_s(pid: int) -> float:
    """Return the processor time in seconds, user and system, of a process and its descendants."""
    return sum(map(_cpu_s, _process_tree(pid)))


def _cpu_s(pid: int) -> float:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _process_tree(pid: int) -> list[int]:
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in below for one in _process_tree(int(child)))]


def _megabytes(pid: int) -> float:
    for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0
