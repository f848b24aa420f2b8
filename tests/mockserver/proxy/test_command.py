"""`deadringer proxy` as a process: what it prints, writes and returns."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from flask import Flask

from deadringer.mockserver.errors import refusal_body
from deadringer.mockserver.server import Limits
from deadringer.mockserver.server.run import create_server
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN, clean_environment
from tests.mockserver.proxy.serving import DEMO, Handler, mocking, plain_server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    with ExitStack() as stack:

        def start(*options: str) -> tuple[subprocess.Popen[str], str]:
            errors = stack.enter_context((tmp_path / "stderr.log").open("w"))
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "deadringer", "proxy", "--port", "0", *options],
                    cwd=tmp_path,
                    env=clean_environment(),
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout
            banner = process.stdout.readline() + process.stdout.readline()
            banner += process.stdout.readline()
            found = re.search(r"serves on (\S+)", banner)
            assert found, (tmp_path / "stderr.log").read_text()
            return process, found[1]

        yield start


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    """Stop it; return its exit code and what it printed after the banner."""
    process.send_signal(number)
    printed, _ = process.communicate(timeout=20)
    return process.returncode, printed


def read(url: str, path: str = KNOWN) -> httpx.Response:
    return httpx.get(url + path, headers=DEMO, verify=NO_TLS)


@pytest.mark.slow
def test_it_reports_at_its_end_and_passes(start, tmp_path: Path) -> None:
    with mocking() as mock:
        process, url = start(mock, "--report", "json=report.json", "--report", "junit=r.xml")
        for path in ("/v1/workflows", KNOWN, KNOWN):
            assert read(url, path).status_code == 200
        code, printed = stop(process)

    assert code == 0
    assert printed.startswith(f"PASSED {mock}: ")
    assert "3 requests" in printed
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["conclusion"], report["requests"]) == ("passed", 3)
    assert (tmp_path / "r.xml").read_text().startswith("<?xml")
    assert not [*tmp_path.glob("*.tmp*")]


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGINT]
)
def test_a_violation_fails_it_however_it_is_stopped(start, number: int, tmp_path: Path) -> None:
    with mocking() as mock:
        httpx.put(f"{mock}/__mock/contract-faults/duration-in-seconds", verify=NO_TLS)
        process, url = start(mock)
        assert "deadringer-violations" in read(url).headers
        log = (tmp_path / "stderr.log").read_text()
        code, printed = stop(process, number)

    assert code == 1
    assert "FAILED DR019 duration_is_end_minus_start (1 violation)" in printed
    # It is on the terminal before the client has the response.
    assert f"violation DR019 duration_is_end_minus_start (error): GET {KNOWN} -> 200" in log
    assert f"see {url}/__mock/ui/journal#1" in log
    assert DEMO["x-api-key"] not in log + printed


@pytest.mark.slow
def test_warnings_fail_it_on_request_and_a_baseline_accepts(start, tmp_path: Path) -> None:
    body = b'{"success": false, "error": {"code": "NOT_FOUND", "message": "No"}}'

    with plain_server(
        lambda one: one.reply(404, [("Content-Type", "application/json")], body)
    ) as real:
        codes = []
        for options in ((), ("--fail-on", "warning"), ("--fail-on", "warning", "--baseline", "b")):
            process, url = start(real.url, *options)
            read(url)
            codes.append(stop(process)[0])
            if len(codes) == 1:
                fingerprint = "rate_limit_headers_are_on_every_answer getExecution /"
                accepted = {"accepted": [{"fingerprint": fingerprint}]}
                (tmp_path / "b").write_text(json.dumps(accepted))

    assert codes == [0, 1, 0]


@pytest.mark.slow
def test_nothing_seen_is_inconclusive(start) -> None:
    process, _url = start("http://127.0.0.1:9")

    code, printed = stop(process)

    assert code == 2
    assert "INCONCLUSIVE: no response of the API was seen" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["ftp://x"], "UPSTREAM 'ftp://x' is not an origin"),
        (["http://x", "--only", "typo"], "There is no rule or group 'typo'"),
        (["http://x", "--report", "pdf=x"], "is not FORMAT=PATH"),
        (["http://x", "-H", "x-api-key: 1"], "--header x-api-key cannot be sent"),
        (["http://x", "--ca-file", "none.pem"], "--ca-file none.pem cannot be used"),
        (["http://x", "--break", "typo"], "Setting break"),
        (["http://user:secret@x"], "must not contain"),
        (["http://x/?token=secret"], "must not contain"),
        (["http://x", "--timeout", "nan"], "--timeout must be above 0 seconds"),
        (["http://x", "--baseline", "none"], "none cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(options: list[str], message: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from deadringer.mockserver.cli import main

    result = CliRunner().invoke(main, ["proxy", *options])

    assert result.exit_code == 2
    assert message in result.output
    assert "secret" not in result.output
    assert "Traceback" not in result.output


def test_a_server_whose_process_goes_on_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    server = create_server(Flask("test"), refusal_body, limits=Limits(stop_s=0.2))
    server.handle_exit(signal.SIGTERM, None)

    server.is_let_go.set()
    server._end_process_late()
    assert ended == []

    server.is_let_go.clear()
    server._signals.put(signal.SIGTERM)
    server._end_process_late()
    assert ended == [1]


@pytest.mark.slow
def test_it_does_not_forward_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = str(unused.getsockname()[1])
    command = [sys.executable, "-m", "deadringer", "proxy", "--port", port]

    ended = subprocess.run(
        [*command, f"http://localhost:{port}"],
        capture_output=True, text=True, check=False, env=clean_environment(), timeout=30,
    )  # fmt: skip

    assert ended.returncode == 2
    assert "is the address of the proxy itself" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_stream_that_goes_on_does_not_keep_it_from_reporting(start) -> None:
    def endless(one: Handler) -> None:
        one.reply(200, [("Transfer-Encoding", "chunked")])
        while True:
            one.wfile.write(b"1\r\nx\r\n")
            time.sleep(0.1)

    with plain_server(endless) as real:
        process, url = start(real.url, "--limit", "stop_s=0.5")
        with httpx.stream("GET", f"{url}/events", verify=NO_TLS) as response:
            next(response.iter_raw())
            began = time.monotonic()
            code, printed = stop(process)

    assert code == 2
    assert "INCONCLUSIVE" in printed
    assert time.monotonic() - began < 5


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_body_is_never_held(start) -> None:
    piece, count = b"x" * 2**20, 96

    def large(one) -> None:
        one.reply(200, [("Content-Length", str(len(piece) * count))])
        for _ in range(count):
            one.wfile.write(piece)

    def peak_kb() -> int:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]

    with plain_server(large) as real:
        process, url = start(real.url)
        with httpx.stream("GET", url + KNOWN, headers=DEMO, verify=NO_TLS) as response:
            before = peak_kb()
            size = sum(map(len, response.iter_raw()))
        grown_mb = (peak_kb() - before) / 1024

    assert size == count * 2**20
    assert grown_mb < 24
