"""A command that cannot be carried out names what, where and what to do, and exits 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mockserver.cli import deadringer, deadringer_process, generated, refusal


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--status faild", "no status 'faild'. Choose from: completed, failed, running."),
        ("--status failed=much", "the share of failed, 'much', is not a number. Write failed=0.3."),
        (
            "--status failed,running=0.2",
            "failed, running=0.2: either every status has a share, or none.",
        ),
        ("--status failed=-1", "the share of failed is -1.0; it must be 0 or more."),
        ("--status failed=0", "all shares are zero"),
        ("--status failed=inf", "the share of failed is inf; it must be a finite number."),
        ("--status failed=0.3,failed=0.2", "failed has two shares. Name each status once."),
        ("--steps 12..3", "'12..3' is not a number of steps. Write 5, or 3..12."),
        ("--steps few", "'few' is not a number of steps. Write 5, or 3..12."),
        ("--operations nope", "no operation nope. Choose from: generic_agent"),
        ("--locale tlh", "no locale 'tlh'. Choose one of: de_DE"),
        ("--from yesterday", "'yesterday' is not a time. Write it like 2026-03-27T10:15:00Z"),
        ("--from 2026-02-01 --to 2026-01-01", "--to must be later than --from."),
        ("--to 2025-06-01", "--to must be later than --from, which is 2026-01-01 if left out."),
        ("--from 9999-12-31", "runs must start from 0001-01-02 to 9999-12-01, so that"),
        ("--from 0001-01-01", "runs must start from 0001-01-02 to 9999-12-01, so that"),
        ("--from 9999-11-30 --to 9999-12-02", "runs must start from 0001-01-02 to 9999-12-01"),
        ("--violating id_differs_from_run", "Did you mean id_differs_from_run_id?"),
        ("--violating zzz", "is named 'zzz'. Choose from these rules: schema, "),
        ("--violating page-ignored", "no rule or contract fault of one execution is named"),
        ("--violating duration-in-second", "Did you mean duration-in-seconds?"),
        ("--violating no_redirects", "no_redirects does not read one execution"),
        ("--violating schema --status failed", "sets its own constraints. Leave out --status"),
        ("--violating schema --out a.parquet", "may not fit the typed columns of parquet"),
        ("--example documented_exampel", "Did you mean documented_example?"),
        ("--example happy_branch -n 3", "Leave out the count and every constraint"),
        ("--example happy_branch --steps 3", "Leave out the count and every constraint"),
        ("--format parquet", "parquet cannot be streamed. Name a file: --out runs.parquet."),
        ("--out a.parquet.gz", "parquet is compressed inside. Name it a.parquet."),
        ("--format csv --envelope", "a row of csv has no envelope. Leave out --envelope."),
        ("--format xml", "'xml' is not one of 'ndjson', 'json', 'csv', 'parquet', 'har'"),
        ("--check", "--check compares with a file. Name it: --out FILE."),
        ("--out nowhere/runs.json", "there is no folder nowhere. Make it, or name another --out."),
        ("-n 0", "0 is not in the range x>=1"),
        ("--out runs.txt", ".txt is not the extension of a format. Name one with --format"),
        ("--out runs.xml.gz", ".xml is not the extension of a format."),
        (f"--steps {'9' * 5000}", "is not a number of steps. Write 5, or 3..12."),
        ("--steps 10001", "10001 steps are too many; a run has 10,000 at most."),
        ("--loops --steps 0", "a run without steps has no loop; leave out one"),
    ],
)
def test_a_refusal_says_how_to_fix_it(options: str, message: str) -> None:
    assert message in refusal(*options.split())


def test_a_refusal_is_the_exit_code_of_the_process() -> None:
    done = deadringer_process("generate", "--status", "faild")

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr
    assert b"no status 'faild'." in done.stderr


LISTS = ("--status", "--operations", "--example")


@pytest.mark.parametrize(
    "option",
    [
        "--seed",
        "--status",
        "--operations",
        "--locale",
        "--example",
        "--out",
        "--steps",
        "--from",
        "--to",
        "--violating",
    ],
)
def test_an_option_left_empty_is_not_taken_for_one_left_out(option: str) -> None:
    for empty in ("", " ", *([","] if option in LISTS else [])):
        message = refusal(option, empty)

        assert option in message
        assert "it is empty. Add a value, or leave the option out." in message


@pytest.mark.parametrize(
    "options",
    [
        "--steps 0",
        "--steps 0..0 -n 3",
        f"--seed {'1' * 5000}",
        "--from 9999-11-01 --to 9999-12-01 -n 50",
    ],
    ids=["no steps", "a range of none", "a very long seed", "the last days"],
)
def test_what_is_unusual_is_generated_all_the_same(options: str) -> None:
    assert generated(*options.split()).startswith(b'{"id":"exec_')


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}")

    assert "holds 1 JSON file(s) that this command does not write, such as mine.json" in refusal(
        "--out", tmp_path
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_a_folder_takes_json_only(tmp_path: Path) -> None:
    assert "--format is csv. Name a file" in refusal("--out", tmp_path, "--format", "csv")


def test_a_missing_pyarrow_is_told_with_its_extra(tmp_path: Path) -> None:
    # A module of that name that cannot be imported stands where Python looks first.
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    done = subprocess.run(
        [sys.executable, "-m", "deadringer", "generate", "--out", tmp_path / "a.parquet"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "Install it: pip install pyarrow." in done.stderr
    assert not (tmp_path / "a.parquet.part").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipe")
def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    command = (
        f"{sys.executable} -m deadringer generate -n 100000 | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True
    )

    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


FILES = ("a.ndjson", "a.json", "a.csv", "a.har", "a.parquet", "a.ndjson.gz", "a.ndjson.zst", "a/")


@pytest.mark.parametrize("name", FILES)
def test_check_tells_whether_what_is_kept_is_up_to_date(tmp_path: Path, name: str) -> None:
    out = f"{tmp_path}/{name}"
    generated("-n", 600, "--seed", 1, "--out", out)

    fresh = deadringer("generate", "-n", 600, "--seed", 1, "--out", out, "--check")
    stale = deadringer("generate", "-n", 600, "--seed", 2, "--out", out, "--check")
    short = deadringer("generate", "-n", 700, "--seed", 1, "--out", out, "--check")
    long = deadringer("generate", "-n", 500, "--seed", 1, "--out", out, "--check")

    assert (fresh.returncode, fresh.stdout.decode()) == (0, f"{Path(out)} is up to date\n")
    for done in (stale, short, long):
        assert done.returncode == 1
        assert b"out of date" in done.stderr
        assert b"Renew it: the same command without --check." in done.stderr


def test_check_tells_what_is_missing(tmp_path: Path) -> None:
    done = deadringer("generate", "--out", tmp_path / "a.json", "--check")

    assert (done.returncode, b"does not exist" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.ndjson.zst", "a.parquet"])
def test_check_tells_of_a_damaged_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no such thing")
    done = deadringer("generate", "--out", tmp_path / name, "--check")

    assert (done.returncode, b"out of date" in done.stderr) == (1, True)
