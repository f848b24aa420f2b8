"""`deadringer sanitize`: output, exit codes, messages and the report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from . import deadringer, deadringer_process

DOCUMENT = {
    "run_id": "run_x7k9m2",
    "output": {"email": "jane.doe@acme.com", "text": "Jane wrote a long text about this"},
    "input": {"apiKey": "trig_live0123456789abcdef"},
}
SALT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


def test_a_single_file_goes_to_standard_output_and_the_report_beside_it(file: Path) -> None:
    done = deadringer("sanitize", file)

    assert done.returncode == 0
    assert json.loads(done.stdout)["output"]["email"].endswith(".example.com")
    report = done.stderr.decode()
    assert "email                 1  /output/email" in report
    assert "free-text             1  /output/text" in report
    assert "jane" not in report
    assert json.loads(file.read_text()) == DOCUMENT


def test_check_fails_until_a_file_is_sanitized(file: Path) -> None:
    before = deadringer("sanitize", "--check", file)
    changed = deadringer("sanitize", "--in-place", file)
    after = deadringer("sanitize", "--check", file)

    assert [one.returncode for one in (before, changed, after)] == [1, 0, 0]
    assert before.stdout == changed.stdout == after.stdout == b""
    assert "Found: 0 value(s) in 0 of 1 file(s)" in after.stderr.decode()
    assert "jane" not in file.read_text().partition('"text"')[0]


def test_check_names_the_files_that_hold_values(file: Path, tmp_path: Path) -> None:
    (tmp_path / "clean.json").write_text('{"status": "completed"}')

    done = deadringer("sanitize", "--check", tmp_path)

    assert done.returncode == 1
    assert f"  in {file}: 3" in done.stderr.decode()
    assert "clean.json" not in done.stderr.decode()


def test_calls_with_one_salt_agree_and_never_show_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANITIZE_SALT", SALT)
    (tmp_path / "salt").write_text(f"{SALT}\n")

    by_variable = deadringer("sanitize", "--salt-env", "SANITIZE_SALT", file)
    by_file = deadringer("sanitize", "--salt-file", tmp_path / "salt", file)
    by_chance = deadringer("sanitize", file)

    assert by_variable.stdout == by_file.stdout != by_chance.stdout
    assert SALT not in str((by_variable, by_file)).replace(str(tmp_path), "")


def test_free_text_is_replaced_on_request(file: Path) -> None:
    done = deadringer("sanitize", "--free-text", file)

    text = json.loads(done.stdout)["output"]["text"]
    assert "wrote" not in text
    assert len(text.split()) == 7
    assert "free-text" not in done.stderr.decode()


def test_the_report_is_json_on_request(file: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")

    done = deadringer(
        "sanitize", tmp_path, "--output", tmp_path.parent / "clean", "--format", "json"
    )

    report = json.loads(done.stderr)
    assert {one["detector"] for one in report["found"]} >= {"email", "field:id", "field:secret"}
    assert list(report["files"].values()) == [3]
    assert [Path(one).name for one in report["written"]] == ["one.json"]
    assert [Path(one["file"]).name for one in report["not_read"]] == ["notes.txt"]
    assert json.loads((tmp_path.parent / "clean" / "one.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}", "{file}/../two.json"], "2 files need a place. Add --output DIR"),
        (["{file}", "--check", "--in-place"], "--in-place and --check exclude each other"),
        (["{file}", "--salt-env", "NO_SUCH_SALT"], "has fewer than 16 bytes"),
        (["{file}", "--salt-file", "{file}.salt"], "one.json.salt: No such file"),
        (["{file}.har"], "there is no such file"),
        (["{folder}/empty"], "no file to read"),
    ],
)
def test_what_cannot_be_done_is_refused(file: Path, arguments: list[str], message: str) -> None:
    (file.parent / "two.json").write_text("{}")
    (file.parent / "empty").mkdir()
    filled = [one.format(file=file, folder=file.parent) for one in arguments]
    filled = [str(Path(one).resolve()) if "/../" in one else one for one in filled]

    done = deadringer("sanitize", *filled)

    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_bad_input_is_refused_before_anything_is_written(file: Path, tmp_path: Path) -> None:
    (tmp_path / "two.json").write_text('{"email": "jane.doe@acme.com"')

    done = deadringer("sanitize", "--in-place", tmp_path)

    assert done.returncode == 2
    assert "two.json:1:30: not JSON" in done.stderr.decode()
    assert json.loads(file.read_text()) == DOCUMENT


def test_the_command_works_as_a_process(file: Path) -> None:
    done = deadringer_process("sanitize", file)

    assert done.returncode == 0
    assert b"jane.doe" not in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_output_that_cannot_be_written_is_reported(file: Path) -> None:
    command = f"{sys.executable} -m deadringer sanitize {file} > /dev/full"

    done = subprocess.run(command, shell=True, capture_output=True, timeout=60, check=False)

    assert done.returncode == 2
    assert b"cannot print: No space left on device" in done.stderr
