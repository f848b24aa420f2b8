"""Start the mock as a child process that ends with its parent."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadringer.mockserver.exceptions import StartError

from .client import ExecutionApi

_TIMEOUT_S = 10
_SHOWN_LOG_LINES = 20
# -P keeps the working folder off the path: its files may have names of Python's modules.
_COMMAND = (sys.executable, "-P", "-m", "deadringer.mockserver.testing.child")


@dataclass(frozen=True, slots=True)
class RunningMock:
    """A running mock; `log` is its log file."""

    api: ExecutionApi
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def exit_report(self) -> str:
        """Why it stopped: its exit code and the end of its log; "" while it runs."""
        code = self.process.poll()
        return "" if code is None else f"It ended with exit code {code}.\n{_end_of(self.log)}"


@contextmanager
def run_mock(options: Sequence[str], log: Path) -> Iterator[RunningMock]:
    """Run the mock on a free port for the duration of the context.

    The mock ends when its standard input is closed, so it ends with this process, however that
    ends. Ctrl-C reaches only this process, which then stops the mock.

    Raises:
        StartError: if the mock cannot start; the message contains the end of its log.
    """
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(  # noqa: S603 - a fixed command; the options are the tests'
            [*_COMMAND, *options, "--host", "127.0.0.1", "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            encoding="utf-8",
            env=_environment(),
            **_apart(),
        )
    with process:
        try:
            assert process.stdout is not None
            message = process.stdout.readline()
            if not message:
                process.wait(_TIMEOUT_S)
                raise StartError(f"The mock did not start: {_end_of(log)}")
            yield RunningMock(ExecutionApi(**json.loads(message)), process, log)
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _environment() -> dict[str, str]:
    """Return the environment without PYTHONWARNINGS, which is meant for the tests."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}


def _apart() -> dict[str, Any]:
    """Return the options of Popen that keep the terminal's signals from the child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _end_of(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-_SHOWN_LOG_LINES:]) or "its log is empty."
