"""`deadringer validate` uses every core for large NDJSON, and leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from deadringer.contracts import load_schema
from tests.mockserver.cli.test_continuing import is_group_alive, wait_for

pytestmark = pytest.mark.slow

EXAMPLE = load_schema("execution")["examples"][0]
LINE = json.dumps(EXAMPLE).encode() + b"\n"
BROKEN = json.dumps({**EXAMPLE, "duration_ms": 4}).encode() + b"\n{oops}\n"
COMMAND = [sys.executable, "-m", "deadringer", "validate"]
ENOUGH = 9_000_000
"""Bytes from which on processes begin."""


def fed(process: "subprocess.Popen[bytes]") -> None:
    """Write lines to a process for ever, from a thread."""

    def feed() -> None:
        assert process.stdin is not None
        try:
            while True:
                process.stdin.write(LINE * 100)
        except (OSError, ValueError):  # the pipe is closed, there or here
            return

    Thread(target=feed, daemon=True).start()


def processes_of(group: int) -> int:
    """Return the number of processes in a group."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            count += path.read_text().rpartition(")")[2].split()[2] == str(group)
        except OSError:
            continue
    return count


def test_output_is_that_of_one_process(tmp_path: Path) -> None:
    large, small = tmp_path / "large.ndjson", tmp_path / "small.ndjson"
    large.write_bytes((LINE * 500 + BROKEN) * (2 * ENOUGH // (500 * len(LINE))))
    small.write_bytes(LINE + BROKEN)
    outputs = [
        subprocess.run(
            [*COMMAND, str(large), str(small), "--workers", workers],
            capture_output=True,
            timeout=120,
            check=False,
        )
        for workers in ("1", "2")
    ]

    alone, together = ((one.returncode, one.stdout, one.stderr) for one in outputs)

    assert together == alone
    assert alone[0] == 2
    assert b"duration_is_end_minus_start" in alone[1]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux alone has it")
@pytest.mark.parametrize("end", ["Ctrl-C", "kill"])
def test_no_process_is_left_behind(end: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "-", "--workers", "2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
    )
    stop: Callable[[], None] = {
        "Ctrl-C": lambda: os.killpg(process.pid, signal.SIGINT),  # as a terminal does
        "kill": process.kill,
    }[end]
    with process:
        fed(process)
        wait_for(lambda: processes_of(process.pid) >= 3)
        time.sleep(0.5)  # at work, or still beginning

        stop()
        wait_for(lambda: process.poll() is not None and not is_group_alive(process.pid))
        message = process.stderr.read() if process.stderr else b""

    if end == "Ctrl-C":
        assert (process.returncode, message) == (130, b"deadringer: interrupted\n")
