"""A check that is interrupted reports what it found so far, and states that it is incomplete."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deadringer.contracts.check import FORMATS, Interruption

from .small_server import KEY, Reply, send_seconds, serving


@pytest.mark.parametrize(
    ("number", "at_request", "code"),
    [(signal.SIGINT, 3, 130), (signal.SIGTERM, 20, 143), (signal.SIGINT, 90, 130)],
)
def test_an_interrupted_check_writes_every_report_and_says_that_it_is_incomplete(
    tmp_path: Path, number: signal.Signals, at_request: int, code: int
) -> None:
    """The last of the cases interrupts generated requests, whose engine catches Ctrl-C itself."""
    count = 0
    processes: list[subprocess.Popen] = []

    def interrupting(path: str, key: str) -> Reply:
        nonlocal count
        count += 1
        if count == at_request:
            os.kill(processes[0].pid, number)
        return send_seconds(path, key)

    reports = {name: tmp_path / name for name in FORMATS}
    baseline = tmp_path / "baseline.json"
    with serving(interrupting) as small:
        arguments = ["check", small.url, "--api-key", KEY, "--watch", "0"]
        arguments += ["--workflow", "wf_abc123", "--run", "run_x7k9m2"]
        arguments += ["--baseline", str(baseline)] if at_request == 20 else []
        baseline.write_text('{"accepted": []}')
        for name, path in reports.items():
            arguments += ["--report", f"{name}={path}"]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", _MAIN, *arguments], stdout=subprocess.PIPE, text=True
            )
        )
        printed, _ = processes[0].communicate(timeout=120)

    assert processes[0].returncode == code
    name = "Ctrl-C (SIGINT)" if code == 130 else "SIGTERM"
    assert f"incomplete: interrupted by {name}" in printed
    assert len(small.requests) <= at_request + 2
    for path in reports.values():
        assert "interrupted by" in path.read_text("utf-8")
    report = json.loads(reports["json"].read_text("utf-8"))
    assert (report["conclusion"], report["exit_code"]) == ("inconclusive", code)
    found = {one["rule"] for one in report["results"] if one["findings"]}
    assert ("duration_is_end_minus_start" in found) is (at_request > 3)


_MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
from deadringer.mockserver.cli import main
main(sys.argv[1:], prog_name="deadringer")
"""


def test_the_second_signal_is_that_of_the_one_before() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Interruption() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before
        with pytest.raises(KeyboardInterrupt):
            interruption.require_none()

    assert interruption.signal == signal.SIGINT


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert interruption.signal == 0
    finally:
        signal.signal(signal.SIGINT, before)
