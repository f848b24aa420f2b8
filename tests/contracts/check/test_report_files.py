"""Reports are written whole, into files and what is no file, whatever they hold."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from deadringer.contracts.check import (
    FORMATS,
    Report,
    ReportError,
    require_target,
    write_report,
)
from deadringer.mockserver.cli.check import command


def test_a_report_is_written_whole_or_not_at_all(report: Report, tmp_path: Path) -> None:
    write_report(report, f"json={tmp_path / 'out.json'}")

    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "failed"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    with pytest.raises(ReportError, match="Specify a file in an existing folder"):
        write_report(report, f"json={tmp_path / 'none' / 'out.json'}")
    with pytest.raises(ReportError, match="Formats: text, json"):
        write_report(report, "pdf=out.pdf")


def test_a_report_goes_where_a_link_leads(report: Report, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "out.json")

    write_report(report, f"json={tmp_path / 'link.json'}")

    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "failed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_report_to_what_is_no_file_replaces_nothing(report: Report, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(ReportError, match="named pipe"):
        require_target(f"json={pipe}")
    write_report(report, f"json={pipe}")

    assert json.loads(os.read(reader, 2**20))["conclusion"] == "failed"
    assert pipe.is_fifo()
    os.close(reader)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm here")
def test_a_report_below_dev_is_replaced_if_it_is_a_file(report: Report) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for _ in range(2):
            write_report(report, f"json={folder}/out.json")

        assert json.loads(Path(folder, "out.json").read_text("utf-8"))["conclusion"] == "failed"


@pytest.mark.skipif(os.name == "nt", reason="no permissions of this kind here")
def test_a_report_keeps_permissions_and_obeys_the_umask(report: Report, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    private.touch(0o600)
    before = os.umask(0o027)
    try:
        for name in ("private", "new"):
            write_report(report, f"json={tmp_path / name}.json")
    finally:
        os.umask(before)

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == 0o640


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_every_report_is_written_whatever_another_raises(tmp_path: Path) -> None:
    """Standard output and the first report cannot be written; the others are."""
    command = [
        *(sys.executable, "-m", "deadringer", "check", "http://127.0.0.1:9", "--api-key", "trig_k"),
        *("--report", "text=/dev/full", "--report", f"json={tmp_path / 'out.json'}"),
    ]
    environ = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environ
        )

    assert done.returncode == 2
    assert done.stderr.count("No space left on device") == 2
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "inconclusive"
    assert "inconclusive" in (tmp_path / "summary.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("json={}", "it is a folder"),
        ("json={}/none/out.json", "Create it"),
        ("pdf={}/x", "Formats:"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_anything_is_asked(
    tmp_path: Path, target: str, message: str
) -> None:
    options = ["--api-key", "trig_key", "--report", target.format(tmp_path)]
    outcome = CliRunner().invoke(command, ["http://127.0.0.1:9", *options])

    assert outcome.exit_code == 2
    assert message in outcome.output
    assert "127.0.0.1" not in outcome.output


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_character_is_written_in_a_form_there_is(
    report: Report, tmp_path: Path, name: str
) -> None:
    failed, *others = report.results
    (finding,) = failed.findings
    (example,) = finding.examples
    example = replace(example, violation=replace(example.violation, got="'\ud800'"))
    finding = replace(finding, pattern="/data/\ud800", examples=(example,))
    unusual = replace(report, results=(replace(failed, findings=(finding,)), *others))

    write_report(unusual, f"{name}={tmp_path / 'out'}")

    sign = "\ufffd" if name == "junit" else "\\ud800"  # XML has no such escape
    assert sign in (tmp_path / "out").read_text("utf-8")
