"""A state file is one server's."""

import signal
import subprocess

import httpx
import pytest

from tests.mockserver.conftest import clean_environment, serve_command


def start_second(path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        serve_command("--port", "0", "--state", str(path), *options),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_state_file_is_one_servers(start_server, tmp_path):
    state = tmp_path / "state.sqlite"
    first = start_server("--state", str(state))
    second = start_second(state)
    assert first.stop() == 0
    third = start_server("--state", str(state))

    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"deadringer: State file {state} is locked by another deadringer server. "
        "Stop it or choose another --state file.\n"
    )
    assert httpx.get(f"{third.url}/__mock/state").is_success


def test_after_a_stop_all_is_in_the_file(start_server, tmp_path):
    first = start_server("--state", str(tmp_path / "state.sqlite"))
    assert httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).is_success
    assert first.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]

    again = start_server("--state", str(tmp_path / "state.sqlite"))
    assert len(httpx.get(f"{again.url}/__mock/state").json()["started_runs"]) == 1


def test_a_killed_server_leaves_its_changes_and_no_lock(start_server, tmp_path):
    first = start_server("--state", str(tmp_path / "state.sqlite"))
    assert httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).is_success
    first.stop(signal.SIGKILL)

    again = start_server("--state", str(tmp_path / "state.sqlite"))
    assert len(httpx.get(f"{again.url}/__mock/state").json()["started_runs"]) == 1


@pytest.mark.parametrize("spelling", ["link.sqlite", "folder/../state.sqlite"])
def test_a_state_file_has_one_server_whatever_it_is_called(start_server, tmp_path, spelling):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "state.sqlite")
    start_server("--state", str(tmp_path / "state.sqlite"))
    second = start_second(tmp_path / spelling)

    assert (second.returncode, second.stdout) == (2, "")
    assert "is locked by another deadringer server" in second.stderr
