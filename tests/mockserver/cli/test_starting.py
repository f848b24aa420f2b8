"""Starting and stopping: what is printed, and what keeps the server from starting."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from deadringer.fixtures import load_recordings
from tests.machine import NO_TLS, give_up
from tests.mockserver.conftest import DEMO, KNOWN, clean_environment, wait_for_held


def assert_refused(process, *parts: str) -> None:
    """One clear line on standard error, exit code 2, nothing else."""
    assert process.returncode == 2
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert line.startswith("deadringer: ")
    for part in parts:
        assert part in line


def test_port_0_picks_a_free_port_and_prints_it(start_server):
    first, second = start_server(), start_server()

    assert first.url != second.url
    assert httpx.get(first.url + KNOWN, headers=DEMO).status_code == 200


def test_the_printed_curl_line_works(server):
    curl = shutil.which("curl")
    if curl is None:
        give_up("curl is not on this machine")
    (line,) = re.findall(r"^ *(curl .*)$", server.banner, re.MULTILINE)

    process = subprocess.run(
        [*shlex.split(line), "--silent"], capture_output=True, check=True, timeout=20
    )

    data = json.loads(process.stdout)["data"]
    assert data["status"] == "completed"
    assert data["steps"]


def test_every_named_run_is_listed(server):
    for recording in load_recordings():
        row = next(
            line for line in server.banner.splitlines() if line.strip().startswith(recording.name)
        )
        for part in (recording.story, recording.execution["status"]):
            assert part in row


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_even_with_a_connection_open(start_server, signal_number):
    server = start_server()
    with httpx.Client(verify=NO_TLS, base_url=server.url, headers=DEMO) as client:
        client.get(KNOWN)

        assert server.stop(signal_number) == 0
    assert "Traceback" not in server.log


def test_many_signals_at_once_stop_it_as_one_does(start_server):
    server = start_server()
    for _ in range(200):
        server.process.send_signal(signal.SIGTERM)

    assert server.stop() == 0


def test_a_request_that_hangs_on_purpose_does_not_keep_it_from_stopping(start_server):
    server = start_server("--rate-policy", "9999/9999")
    fault = {"kind": "hang", "hang_ms": 60_000, "operation": "getExecution"}
    httpx.post(f"{server.url}/__mock/faults", json=fault)
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        head = f"GET {KNOWN} HTTP/1.1\r\nHost: mock\r\nx-api-key: {DEMO['x-api-key']}\r\n\r\n"
        connection.sendall(head.encode())
        wait_for_held(server, 1)

        assert server.stop() == 0
        assert connection.recv(1000) == b""


def test_a_taken_port_is_one_line_and_exit_2(server, refused_start):
    port = server.url.rpartition(":")[2]

    assert_refused(refused_start("--port", port), f"port {port}", "in use", "--port 0")


def test_a_host_that_is_not_ours_is_one_line_and_exit_2(refused_start):
    assert_refused(refused_start("--host", "192.0.2.1", "--port", "0"), "192.0.2.1")
    assert_refused(refused_start("--host", "no such host"), "no such host")
    assert_refused(refused_start("--host", f"{'x' * 70}.example"), "Cannot listen on")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_ipv6_is_served_too(start_server):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback on this machine")
    server = start_server("--host", "::1")

    assert server.url.startswith("http://[::1]:")
    assert httpx.get(server.url + KNOWN, headers=DEMO).status_code == 200


def test_an_address_for_everybody_is_printed_as_one_that_can_be_called(start_server):
    server = start_server("--host", "0.0.0.0")

    assert server.url.startswith("http://127.0.0.1:")
    assert httpx.get(server.url + KNOWN, headers=DEMO).status_code == 200


def test_an_unknown_or_bad_setting_is_one_line_and_exit_2(refused_start, tmp_path):
    assert_refused(refused_start(DEADRINGER_PROT="1"), "DEADRINGER_PROT", "DEADRINGER_PORT")
    assert_refused(refused_start("--port", "abc"), "port", "from --port")
    assert_refused(refused_start("--reload"), "--fixtures")

    (tmp_path / "pyproject.toml").write_text("[tool.deadringer]\nprot = 1\n")
    assert_refused(refused_start(), "prot", "pyproject.toml")


def test_an_unknown_option_is_exit_2(refused_start):
    process = refused_start("--prot", "1")

    assert process.returncode == 2
    assert "--prot" in process.stderr
    assert "Try 'deadringer serve --help' for help." in process.stderr
    assert "Traceback" not in process.stderr


def test_a_missing_folder_is_one_line_and_exit_2(refused_start):
    assert_refused(refused_start("--port", "0", "--fixtures", "nowhere"), "nowhere")


def test_a_duplicate_run_id_is_one_line_and_exit_2(refused_start, tmp_path):
    recorded = load_recordings()[0]
    changed = {**recorded.execution, "id": "exec_changed"}  # an equal one is served once
    (tmp_path / "copy.json").write_text(json.dumps(changed))

    process = refused_start("--port", "0", "--fixtures", str(tmp_path))

    assert_refused(process, "copy.json", recorded.execution["run_id"], "Change the run_id")


def test_every_violation_of_every_document_is_told_at_once(refused_start, tmp_path):
    good = load_recordings()[0].execution
    (tmp_path / "one.json").write_text(json.dumps({**good, "run_id": "a", "status": "done"}))
    (tmp_path / "two.json").write_text(json.dumps({**good, "run_id": "b", "created": 5}))

    process = refused_start("--port", "0", "--fixtures", str(tmp_path))

    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    for part in ("one.json", "/status", "two.json", "/created", "Fix:"):
        assert part in process.stderr


def test_help_and_version_load_neither_flask_nor_httptools():
    code = (
        "import sys\nfrom deadringer.mockserver.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'flask', 'httptools', 'limits', 'jsonschema'} & set(sys.modules)))"
    )

    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=True,
        timeout=30,
    )

    assert "serve" in process.stdout
    assert process.stdout.splitlines()[-1] == "[]"
