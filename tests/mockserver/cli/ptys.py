"""Run `deadringer` as in a terminal: standard output and error are one pseudoterminal."""

import os
import struct
import subprocess
import sys

from tests.project.console import environment


def on_a_terminal(*arguments: object, columns: int = 80, **variables: str) -> tuple[int, str]:
    """Run a command; return its exit code and everything the terminal got."""
    import fcntl  # Windows has neither
    import pty
    import termios

    watched, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "deadringer", *map(str, arguments)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=_variables(variables),
    )
    os.close(terminal)
    drawn = b""
    try:
        while piece := os.read(watched, 65536):
            drawn += piece
    except OSError:  # Linux: the other side is closed
        pass
    os.close(watched)
    return process.wait(timeout=60), drawn.decode().replace("\r\n", "\n")


def in_a_pipe(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with pipes instead of a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "deadringer", *map(str, arguments)],
        env=_variables(variables),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def _variables(variables: dict[str, str]) -> dict[str, str]:
    colors = {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    known = {name: value for name, value in environment().items() if name not in colors}
    return {**known, "TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}
