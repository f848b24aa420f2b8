"""The mock ends with pytest, however pytest ends; if it ended earlier, the test error shows it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mockserver.testing import PLUGIN

pytestmark = pytest.mark.slow

pytest_plugins = ("pytester",)

TIMEOUT_S = 60


def wait_until(is_so, what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@needs_proc
@pytest.mark.parametrize(
    "ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "SIGTERM", "kill"]
)
def test_the_mock_ends_with_pytest_though_a_request_hangs(pytester, ending):
    pytester.makepyfile(
        """
        import pathlib, threading, time, urllib.request

        def test_it(execution_api, _running_mock):
            execution_api.add_fault("hang")
            request = urllib.request.Request(execution_api.url("/v1/workflows"))
            threading.Thread(target=urllib.request.urlopen, args=[request], daemon=True).start()
            new = pathlib.Path("pid.new")
            new.write_text(str(_running_mock.process.pid))
            new.rename("pid")
            time.sleep(60)
        """
    )
    pid_file = pytester.path / "pid"
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            wait_until(pid_file.exists, "the test did not begin")
            pid = int(pid_file.read_text())
            assert is_alive(pid)

            # A terminal sends it to every process of the group.
            os.killpg(run.pid, ending)
            printed, _ = run.communicate(timeout=TIMEOUT_S)
        finally:
            run.kill()

    wait_until(lambda: not is_alive(pid), "the mock outlived pytest")
    assert "ERROR" not in printed
    assert ("KeyboardInterrupt" in printed) is (ending == signal.SIGINT)


@needs_proc
def test_nothing_is_left_of_an_ordinary_run_and_a_lost_mock_is_told(pytester):
    pytester.makepyfile(
        """
        import os, pathlib, signal, threading

        def test_first(execution_api, _running_mock):
            assert threading.active_count() == 1
            pathlib.Path("pid").write_text(str(_running_mock.process.pid))

        def test_second(execution_api, _running_mock):
            os.kill(_running_mock.process.pid, signal.SIGKILL)
            _running_mock.process.wait()

        def test_third(execution_api):
            raise AssertionError("never reached")
        """
    )

    done = pytester.runpytest_subprocess(*PLUGIN, "-W", "error")

    done.assert_outcomes(passed=2, errors=1)
    done.stdout.fnmatch_lines(["*POST /__mock/reset*: no response: *It ended with exit code -9.*"])
    assert not is_alive(int((pytester.path / "pid").read_text()))
