"""A state file is one server's, and that of its workers."""

import os
import signal
import subprocess

import httpx
import pytest

from tests.mockserver.conftest import children_of, clean_environment, serve_command
from tests.mockserver.server.raw import readable


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_state_file_is_one_servers(start_server, tmp_path, workers):
    options = ("--state", str(tmp_path / "state.sqlite"), "--workers", workers)
    first = start_server(*options)
    second = subprocess.run(
        serve_command("--port", "0", *options),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert first.stop() == 0
    assert not list(tmp_path.glob("*.lock"))
    third = start_server(*options)

    assert (second.returncode, second.stdout) == (2, "")
    assert "another server keeps its changes in" in second.stderr
    assert "Traceback" not in second.stderr
    assert httpx.get(f"{third.url}/__mock/state").is_success


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_a_stop_all_is_in_the_file(start_server, tmp_path, workers):
    first = start_server("--state", str(tmp_path / "state.sqlite"), "--workers", workers)
    assert httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).is_success
    assert first.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]

    again = start_server("--state", str(tmp_path / "state.sqlite"))
    assert len(httpx.get(f"{again.url}/__mock/state").json()["started_runs"]) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no process")
def test_workers_of_a_killed_server_keep_the_next_from_its_state_file(start_server, tmp_path):
    command = serve_command("--port", "0", "--state", str(tmp_path / "state.sqlite"))
    first = start_server("--state", str(tmp_path / "state.sqlite"), "--workers", "2")
    workers = children_of(first.process.pid)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    first.process.kill()
    first.process.wait()
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as second:
        try:
            assert not readable([second.stdout], 1.5)
            for worker in workers:
                os.kill(worker, signal.SIGCONT)
            assert "serves on" in second.stdout.readline()
        finally:
            second.terminate()


@pytest.mark.parametrize("spelling", ["link.sqlite", "folder/../state.sqlite"])
def test_a_state_file_has_one_server_whatever_it_is_called(start_server, tmp_path, spelling):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "state.sqlite")
    start_server("--state", str(tmp_path / "state.sqlite"))
    second = subprocess.run(
        serve_command("--port", "0", "--state", str(tmp_path / spelling)),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (second.returncode, second.stdout) == (2, "")
    assert "another server keeps its changes in" in second.stderr
