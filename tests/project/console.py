"""Run the commands of a page in a new user's environment and compare their output.

A page shows commands in `console` blocks: a line that begins with `$ `, then its output, where
`…` stands for anything. A block of code with `title="NAME"` is a file the commands may use.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENTED_PORT = "4010"
_LAST_LINE = "Stop with Ctrl-C."
_START_S = 60
_COMMAND_S = 180


@dataclass(frozen=True)
class Command:
    """A command of a page, and the output that the page shows."""

    line: str
    expected: str

    @property
    def keeps_running(self) -> bool:
        """Whether it runs until it is stopped."""
        return self.line == "make serve" or self.line.startswith("deadringer serve")


def documented_commands(text: str) -> Iterator[Command]:
    """Yield the commands of every console block of a page, in order."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = part.partition("\n")
            yield Command(line, expected.rstrip("\n"))


def documented_files(text: str) -> dict[str, str]:
    """Return the files that a page shows, by name."""
    return dict(re.findall(r"```\w+ title=\"([^\"]+)\"\n(.*?)```", text, re.DOTALL))


def matches(expected: str, printed: str) -> bool:
    """Return whether a text matches what a page shows, where `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of a new user's terminal, with the commands of this environment."""
    # make sets variables for a nested make, which then prints folders.
    prefixes = ("DEADRINGER_", "PYTEST_", "COV_", "GITHUB_", "MAKE", "MFLAGS")
    own = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    binaries = str(Path(sys.executable).parent)
    return {**own, "PATH": f"{binaries}{os.pathsep}{own['PATH']}", **variables}


@dataclass
class Terminal:
    """A folder to run commands in, and the last server that was started."""

    folder: Path
    port: str = field(default_factory=lambda: str(free_port()))
    server: "subprocess.Popen[str] | None" = None

    def difference(self, command: Command) -> str:
        """Run a command; return its output if that differs from the page, else ""."""
        expected = self._here(command.expected)
        printed = self._serve(command) if command.keeps_running else self._run(command)
        return "" if matches(expected, printed) else f"$ {command.line}\n{printed}"

    def close(self) -> None:
        """Stop the server, if one is running."""
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGTERM)
            self.server.communicate(timeout=20)
        self.server = None

    def _here(self, text: str) -> str:
        return text.replace(f":{DOCUMENTED_PORT}", f":{self.port}")

    def _run(self, command: Command) -> str:
        done = subprocess.run(
            ["bash", "-c", self._here(command.line)],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=False,
        )
        if done.returncode:
            return f"{done.stdout}{done.stderr}exit code {done.returncode} of the command"
        return done.stdout

    def _serve(self, command: Command) -> str:
        """Start a server in place of the previous one; return its banner."""
        self.close()
        self.server = subprocess.Popen(
            ["bash", "-c", f"exec {self._here(command.line)}"],
            cwd=self.folder,
            env=environment(DEADRINGER_PORT=self.port),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.server.stdout is not None
        banner = ""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and not banner.rstrip().endswith(_LAST_LINE):
            line = self.server.stdout.readline()
            if not line and self.server.poll() is not None:
                break
            banner += line
        return banner
