"""A person who watches sees how far it is; a pipe and a log do not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mockserver.cli import deadringer_process

pytestmark = pytest.mark.slow

pty = pytest.importorskip("pty", reason="Windows has no such terminals")


def seen_on_a_terminal(*arguments: object) -> str:
    """What a command draws where its standard error is a terminal."""
    watched, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "deadringer", "generate", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    drawn = b""
    try:
        while piece := os.read(watched, 65536):
            drawn += piece
    except OSError:  # how Linux reports that the other side is closed
        pass
    os.close(watched)
    assert process.wait(timeout=60) == 0
    return drawn.decode()


def test_a_terminal_shows_share_rate_and_time_left(tmp_path: Path) -> None:
    drawn = seen_on_a_terminal("-n", 20_000, "--out", tmp_path / "runs.ndjson")

    assert re.search(r"\d+/20000", drawn)
    assert re.search(r"\d\d:\d\d:\d\d", drawn)
    assert re.search(r"[\d,]+/s", drawn)
    assert "20000/20000" in drawn


def test_nothing_is_drawn_into_a_pipe(tmp_path: Path) -> None:
    assert (
        deadringer_process("generate", "-n", 2000, "--out", tmp_path / "runs.ndjson").stderr == b""
    )
