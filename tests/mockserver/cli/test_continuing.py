"""An interrupted command is continued to the identical file, and refuses to mix two files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deadringer.fixtures.output import OutputError, OutputRequest, write_file, write_folder
from tests.mockserver.cli import deadringer_process, generated, refusal

pytestmark = pytest.mark.slow

COUNT = 3000


def silent(_done: int) -> None:
    """Report nothing."""


def interrupted_after(executions: int) -> Callable[[int], None]:
    def progress(done: int) -> None:
        if done >= executions:
            raise KeyboardInterrupt

    return progress


def write(path: Path, request: OutputRequest, progress: Callable[[int], None] = silent) -> None:
    write_file(request, path, workers=1, restart=False, progress=progress)


def request_for(name: str, seed: int = 1) -> OutputRequest:
    return OutputRequest(count=COUNT, seed=seed, format=name.split(".")[1])


@pytest.mark.parametrize(
    "name", ["a.ndjson", "a.json", "a.csv", "a.har", "a.parquet", "a.ndjson.gz", "a.ndjson.zst"]
)
def test_an_interrupted_file_is_continued_to_the_identical_one(tmp_path: Path, name: str) -> None:
    whole, path, reports = tmp_path / f"whole-{name}", tmp_path / name, []
    write(whole, request_for(name))
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(name), interrupted_after(1500))
    assert not path.exists()

    write(path, request_for(name), reports.append)

    assert reports == [1500, 2000, 2500, 3000]
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, whole]


@pytest.mark.slow
def test_a_killed_command_is_continued_to_the_identical_file(tmp_path: Path) -> None:
    path, note = tmp_path / "runs.ndjson.gz", tmp_path / "runs.ndjson.gz.part.json"
    command = ["generate", "-n", "40000", "--seed", "1", "--workers", "2", "--out", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "deadringer", *command], start_new_session=True
    )
    wait_for(lambda: note.exists() and json.loads(note.read_text())["chunks"] > 0)
    process.kill()
    process.wait(timeout=20)
    wait_for(lambda: not is_group_alive(process.pid))  # the workers notice
    assert not path.exists()

    done = deadringer_process(*command)

    assert (done.returncode, done.stderr) == (0, b"")
    generated("-n", 40000, "--seed", 1, "--out", tmp_path / "whole.ndjson.gz")
    assert path.read_bytes() == (tmp_path / "whole.ndjson.gz").read_bytes()


def test_ctrl_c_says_how_to_go_on_and_leaves_no_process(tmp_path: Path) -> None:
    path, command = tmp_path / "runs.ndjson", ["generate", "-n", "9000000", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "deadringer", *command, "--out", str(path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: (tmp_path / "runs.ndjson.part").exists() and part_size(path) > 0)

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, message = process.communicate(timeout=30)

    assert process.returncode == 130
    assert message == (
        f"\ndeadringer generate: interrupted. What is done is in {path}.part; "
        "the same command continues it.\n"
    )
    wait_for(lambda: not is_group_alive(process.pid))


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def part_size(path: Path) -> int:
    return path.with_name(path.name + ".part").stat().st_size


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_interrupted_folder_is_continued(tmp_path: Path) -> None:
    request, folder = OutputRequest(count=1200, seed=1, format="json"), tmp_path / "runs"
    settings = {"workers": 1, "restart": False}
    with pytest.raises(KeyboardInterrupt):
        write_folder(request, folder, progress=interrupted_after(500), **settings)
    reports: list[int] = []

    write_folder(request, folder, progress=reports.append, **settings)

    assert reports == [500, 1000, 1200]
    assert len(list(folder.iterdir())) == 1200
    assert generated("-n", 1200, "--seed", 1, "--out", folder, "--check").endswith(b"up to date\n")


def test_other_arguments_refuse_to_continue(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson"
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(path.name), interrupted_after(500))

    message = refusal("-n", 10, "--seed", 2, "--status", "failed", "--out", path)

    assert message == (
        f"deadringer generate: {path}.part was started with other arguments: "
        '--count was 3000, is 10; --seed was 1, is 2; --status was not set, is {"failed": 1.0}. '
        "Repeat that command to continue it, or add --restart to discard it."
    )
    assert not path.exists()


def test_restart_discards_what_was_begun(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson"
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(path.name), interrupted_after(500))

    generated("-n", 10, "--seed", 2, "--restart", "--out", path)

    assert path.read_bytes() == generated("-n", 10, "--seed", 2)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_without_its_note_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "runs.ndjson.part").write_text("mine")

    message = refusal("--out", tmp_path / "runs.ndjson")

    assert "exists without its checkpoint runs.ndjson.part.json" in message
    assert (tmp_path / "runs.ndjson.part").read_text() == "mine"


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("{", "does not contain the progress of"),
        ("[]", "does not contain the progress of"),
        ('{"request": {}, "chunks": "x", "bytes": 0}', "does not contain the progress of"),
    ],
)
def test_a_damaged_note_is_told(tmp_path: Path, note: str, message: str) -> None:
    path = tmp_path / "runs.ndjson"
    (tmp_path / "runs.ndjson.part").write_text("something")
    (tmp_path / "runs.ndjson.part.json").write_text(note)

    assert message in refusal("--out", path)


def test_a_file_shorter_than_its_note_says_is_refused(tmp_path: Path) -> None:
    path, part = tmp_path / "runs.ndjson", tmp_path / "runs.ndjson.part"
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(path.name), interrupted_after(500))
    part.write_bytes(part.read_bytes()[:100])

    with pytest.raises(OutputError, match="has 100 bytes, but"):
        write(path, request_for(path.name))


def test_a_note_that_outlived_its_file_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson"
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(path.name), interrupted_after(500))
    (tmp_path / "runs.ndjson.part").unlink()

    write(path, request_for(path.name, seed=2))

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such lock on Windows")
def test_two_commands_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson"

    def second(_done: int) -> None:
        with pytest.raises(OutputError, match="is being written by another process"):
            write(path, request_for(path.name))

    write(path, request_for(path.name), second)


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson"
    path.write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        write(path, request_for(path.name), interrupted_after(500))

    assert path.read_text() == "earlier"
    write(path, request_for(path.name))
    assert path.read_text() != "earlier"
