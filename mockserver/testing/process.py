"""Starts the mock as a process of its own that cannot outlive the one that started it."""

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

_PATIENCE_S = 10
_LINES_TOLD = 20
# -P keeps the working folder out of the path: its files may be named like modules of Python.
_COMMAND = (sys.executable, "-P", "-m", "deadringer.mockserver.testing.child")


@dataclass(frozen=True, slots=True)
class Attended:
    """A mock that runs; `log` is the file that its log is written to."""

    api: ExecutionApi
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def fate(self) -> str:
        """Why it answers no more: its exit code and the end of its log, empty while it runs."""
        code = self.process.poll()
        return "" if code is None else f"It ended with exit code {code}.\n{_end_of(self.log)}"


@contextmanager
def attended_mock(options: Sequence[str], log: Path) -> Iterator[Attended]:
    """Run the mock on a free port while the context lasts.

    The child holds the other end of its standard input: when this process ends, however it does,
    so does the mock. A Ctrl-C is meant for this process, which stops the child in its own time.

    Raises:
        StartError: if the mock cannot start; the message has its own words.
    """
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(  # noqa: S603 - the command is ours, the options are the tests'
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
                process.wait(_PATIENCE_S)
                raise StartError(f"The mock did not start: {_end_of(log)}")
            yield Attended(ExecutionApi(**json.loads(message)), process, log)
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _environment() -> dict[str, str]:
    """Return the environment; filters of warnings are meant for the tests, not for the mock."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}


def _apart() -> dict[str, Any]:
    """Return what keeps the terminal's signals from the child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _end_of(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-_LINES_TOLD:]) or "it said nothing."
