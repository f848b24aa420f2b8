"""`deadringer proxy` with --record and --replay as a command: what it refuses and prints."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from deadringer.mockserver.cli import main
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN

from .exchanges import RUN_PATH, exchange, har_text
from .serving import DEMO, mocking
from .test_command import read, start, stop  # noqa: F401 - start is a fixture


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "UPSTREAM is missing: specify the URL of a server, or a recording with --replay DIR"),
        (["--record", "r"], "UPSTREAM is missing"),
        (["--replay", "one.har", "--record", "r"], "--record needs UPSTREAM"),
        (["http://x", "--no-sanitize"], "--no-sanitize needs --record DIR"),
        (["http://x", "--replay", ".", "--record", "."], "name the same folder"),
        (["http://x", "--replay", "nowhere"], "nowhere: cannot be read: No such file"),
        (["--replay", "."], "recording.har: cannot be read: No such file"),
        (["http://x", "--record", "."], "it holds one.har, which is not part of a recording"),
        (["http://x", "--record", "one.har"], "one.har: File exists. Specify a folder"),
    ],
    ids=range(9),
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, monkeypatch, options, message) -> None:
    (tmp_path / "one.har").write_text(har_text(exchange(RUN_PATH)))
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, ["proxy", *options])

    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "r").exists()


def test_what_cannot_start_prints_no_summary(tmp_path: Path) -> None:
    with mocking() as mock:
        port = mock.rpartition(":")[2]
        options = [mock, "--port", port, "--record", str(tmp_path / "r")]
        result = CliRunner().invoke(main, ["proxy", *options])

    assert result.exit_code == 2
    assert "Recorded" not in result.output


@pytest.mark.slow
def test_a_recording_is_summarized_replaced_and_replayed(start, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "recording"

    def log() -> str:
        return (tmp_path / "stderr.log").read_text()

    with mocking() as mock:
        process, url = start(mock, "--record", str(folder))
        read(url)
        code = stop(process)[0]
        assert (code, f"Recorded in {folder}: 1 exchange, 1 execution" in log()) == (0, True)
        process, url = start(mock, "--record", str(folder), "--no-sanitize")
        read(url, "/v1/workflows")
        read(url)
        code = stop(process)[0]

    assert code == 0
    assert f"The recording in {folder} is replaced at the first response." in log()
    assert "will hold personal and secret values" in log()
    assert f"Replay it: deadringer proxy --replay {folder}" in log()
    har = json.loads((folder / "recording.har").read_text())
    assert [one["request"]["url"] for one in har["log"]["entries"]] == [
        f"{mock}/v1/workflows",
        mock + KNOWN,
    ]

    process, url = start("--replay", str(folder))
    seen = httpx.get(url + KNOWN, headers=DEMO, verify=NO_TLS)
    code, printed = stop(process)

    assert (seen.headers["deadringer-replay"], code, printed) == ("1/1", 0, "")
    assert "Requests passed to the recording: 1. They are not in the report." in log()

    process, url = start(mock, "--replay", str(folder))  # which has ended
    seen = httpx.get(url + KNOWN, headers=DEMO, verify=NO_TLS)
    code, printed = stop(process)

    assert (seen.headers["deadringer-replay"], code) == ("1/1", 2)  # nothing was validated
    assert "INCONCLUSIVE: no response of the API was seen" in printed


@pytest.mark.slow
def test_a_recording_that_cannot_be_written_fails_it_after_the_report(
    start,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = tmp_path / "recording"
    with mocking() as mock:
        process, url = start(mock, "--record", str(folder))
        folder.rmdir()
        read(url)
        code, printed = stop(process)

    assert code == 2
    assert printed.startswith(f"PASSED {mock}: ")
    assert "recording.har cannot be written" in (tmp_path / "stderr.log").read_text()
