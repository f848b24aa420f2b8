"""`deadringer coverage` reads recordings, reports and mocks, adds them up, and exits 0, 1 or 2."""

import gzip
import json
import os
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from deadringer.contracts import JsonObject
from deadringer.mockserver.cli import main
from tests.mockserver.conftest import DEMO, KNOWN

LOOP = "/v1/workflows/wf_loop77/executions/run_l4o4p4"


def coverage(*arguments: str, stdin: str = "", **variables: str) -> Result:
    """Run the command in this process, which is faster than a process for each test."""
    removed = {name: None for name in os.environ if name.startswith("DEADRINGER_")}
    return CliRunner().invoke(main, ["coverage", *arguments], stdin, {**removed, **variables})


def har_of(client: httpx.Client, *paths: str) -> JsonObject:
    """Return the recording of the responses to some reads."""
    entries = []
    for number, path in enumerate(paths):
        response = client.get(path)
        entries.append(
            {
                "startedDateTime": f"2026-03-27T10:15:{number:02}.000Z",
                "time": 5,
                "request": {"method": "GET", "url": str(response.url), "headers": []},
                "response": {
                    "status": response.status_code,
                    "headers": [],
                    "content": {"size": len(response.content), "text": response.text},
                },
            }
        )
    return {"log": {"version": "1.2", "entries": entries}}


@pytest.fixture
def recording(client, tmp_path) -> Path:
    path = tmp_path / "one.har"
    path.write_text(json.dumps(har_of(client, KNOWN, LOOP, "/v1/credits/balance")), "utf-8")
    return path


def test_a_recording_is_reported(recording):
    done = coverage(str(recording))

    assert (done.exit_code, done.stderr) == (0, f"{recording}: 3 entries, 0 skipped\n")
    assert done.stdout.startswith("Coverage of 3 requests\n  operations     2 of   8   25.0%\n")
    assert "  list_empty: A workflow without runs\n" in done.stdout
    assert "  loop: " not in done.stdout
    assert "http://127.0.0.1:4010/v1/workflows/wf_no_runs/executions" in done.stdout


def test_entries_that_are_no_exchanges_of_the_api_are_counted_by_reason(recording):
    document = json.loads(recording.read_text("utf-8"))
    document["log"]["entries"][0]["request"]["url"] = "http://127.0.0.1/page.html"
    document["log"]["entries"][1]["response"]["status"] = 0
    recording.write_text(json.dumps(document), "utf-8")

    done = coverage(str(recording))

    assert done.stdout.startswith("Coverage of 1 requests\n")
    assert done.stderr == (
        f"{recording}: 3 entries, 2 skipped: 1 without a response (aborted, blocked or failed), "
        "1 no operation of the API\n"
    )


def test_recordings_reports_and_standard_input_add_up(recording, tmp_path):
    report = tmp_path / "one.json"
    compressed = tmp_path / "two.har.gz"
    compressed.write_bytes(gzip.compress(recording.read_bytes()))
    first = coverage(str(recording), "--report", f"json={report}")
    again = tmp_path / "all.json"

    done = coverage(
        *(str(report), str(compressed), "-", "--report", f"json={again}"),
        *("--report", f"text={tmp_path / 'all.txt'}"),
        stdin=recording.read_text("utf-8"),
    )

    assert (first.exit_code, done.exit_code) == (0, 0)
    assert done.stderr == f"{compressed}: 3 entries, 0 skipped\n-: 3 entries, 0 skipped\n"
    assert json.loads(report.read_text("utf-8"))["requests"] == 3
    document = json.loads(again.read_text("utf-8"))
    assert (document["requests"], document["met"]["situations/loop"]) == (9, 3)
    assert "situations/loop" in (tmp_path / "all.txt").read_text("utf-8")


def test_a_running_mock_is_read_by_session_or_in_full(server, client):
    session = {"X-Mock-Session": "coverage-command"}
    client.get(LOOP, headers=session)
    client.get(KNOWN)

    own = coverage(f"{server.url}/", "--session", "coverage-command", "--verbose")
    every = coverage(f"{server.url}/__mock/ui/coverage?all=true", "--verbose")

    assert own.stdout.startswith("Coverage of 1 requests\n")
    assert f"curl -H 'x-api-key: {DEMO['x-api-key']}' -H 'X-Mock-Session: coverage" in own.stdout
    assert server.url in own.stdout
    assert "situations/loop" in every.stdout
    assert not every.stdout.startswith("Coverage of 1 requests\n")


@pytest.mark.slow
def test_a_mock_with_a_token_requires_it_and_the_token_is_not_printed(start_server):
    server = start_server("--control-token", "token-of-the-mock")

    refused = coverage(server.url)
    done = coverage(server.url, DEADRINGER_CONTROL_TOKEN="token-of-the-mock")

    assert (refused.exit_code, done.exit_code) == (2, 0)
    assert f"{server.url}: returned 401. Send it in the X-Mock-Token header" in refused.stderr
    assert "token-of-the-mock" not in done.stdout + done.stderr
    assert "YOUR_TOKEN" in done.stdout


@pytest.mark.parametrize(
    ("limits", "code", "message"),
    [
        (["0"], 0, ""),
        (["operations=25"], 0, ""),
        (["operations=26", "99"], 1, "operations: 25.0% is below 26%\ndeadringer coverage: total"),
        (["runs=1"], 2, "'runs=1' is no threshold"),
    ],
)
def test_the_exit_code_follows_the_thresholds(recording, limits, code, message):
    done = coverage(str(recording), *(f"--fail-under={one}" for one in limits))

    assert done.exit_code == code
    assert message in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "1:2: not JSON: "),
        ("[]", ": neither a HAR recording nor a coverage report."),
        ('{"log": {"entries": []}}', ": the recording contains no request of the API"),
        ('{"version": 3, "requests": 0, "met": {}}', ": it has version 3, this program reads 1;"),
    ],
)
def test_other_input_is_refused_with_the_reason(tmp_path, content, message):
    path = tmp_path / "input.json"
    path.write_text(content, "utf-8")

    done = coverage(str(path))

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"deadringer coverage: {path}")
    assert message in done.stderr


def test_what_cannot_be_read_or_written_is_named_with_a_fix(recording, tmp_path):
    for arguments, message in (
        ([str(tmp_path / "none.har")], "none.har: No such file or directory. Name a HAR file"),
        ([str(tmp_path)], "it is a folder. Name a HAR file"),
        (["http://127.0.0.1:9/"], "cannot be reached: "),
        ([str(recording), "--report", "xml=x"], "--report 'xml=x' is not FORMAT=PATH"),
        ([str(recording), "--report", f"json={tmp_path}"], "is a folder"),
    ):
        done = coverage(*arguments)

        assert done.exit_code == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
