"""Every form can be read back, holds the executions of its seed, and keeps the contract."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
import zstandard
from pyarrow import parquet

from deadringer.fixtures import (
    Recipe,
    generate,
    json_bytes,
    load_recordings,
    violating_execution,
)
from deadringer.fixtures.documents import MESSAGE
from deadringer.fixtures.output import OutputRequest, write_file, write_stream
from tests.mockserver.cli import deadringer, deadringer_process, generated

COUNT = 1200  # three chunks, the last one short
FILES = (
    "runs.ndjson",
    "runs.json",
    "runs.csv",
    "runs.har",
    "runs.parquet",
    "runs.ndjson.gz",
    "runs.csv.zst",
)


def expected(count: int = COUNT, **constraints: object) -> list[dict]:
    return [Recipe(1, **constraints).execution(index) for index in range(count)]


def test_ndjson_is_one_compact_document_a_line() -> None:
    lines = generated("-n", COUNT, "--seed", 1).splitlines(keepends=True)

    assert lines == [json_bytes(one) + b"\n" for one in expected()]


def test_json_is_one_array(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    generated("-n", COUNT, "--seed", 1, "--out", path)

    assert json.loads(path.read_bytes()) == expected()


def test_csv_is_one_row_an_execution() -> None:
    text = generated("-n", COUNT, "--seed", 1, "--format", "csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert [row["run_id"] for row in rows] == [one["run_id"] for one in expected()]
    for row, execution in zip(rows, expected(), strict=True):
        statuses = [step["status"] for step in execution["steps"]]
        assert json.loads(row["steps"]) == execution["steps"]
        assert row["ended_at"] == (execution["ended_at"] or "")
        assert row["step_count"] == str(len(statuses))
        assert row["failed_steps"] == str(statuses.count("failed"))


def test_parquet_has_the_same_rows_in_typed_columns(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    generated("-n", COUNT, "--seed", 1, "--out", path)
    table = parquet.read_table(path)

    assert str(table.schema.field("duration_ms").type) == "int64"
    assert table["duration_ms"].to_pylist() == [one["duration_ms"] for one in expected()]
    assert [json.loads(text) for text in table["steps"].to_pylist()] == [
        one["steps"] for one in expected()
    ]
    assert table["step_count"].to_pylist() == [len(one["steps"]) for one in expected()]


@pytest.mark.slow
def test_har_has_the_answer_to_each_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.har"
    generated("-n", COUNT, "--seed", 1, "--out", path)
    entries = json.loads(path.read_bytes())["log"]["entries"]

    responses = [json.loads(entry["response"]["content"]["text"]) for entry in entries]
    assert [response["data"] for response in responses] == expected()
    validated = deadringer("validate", path)
    entries_line = f"HAR: {COUNT} entries, {COUNT} validated, 0 skipped\n"
    assert validated.stdout.decode() == f"{entries_line}1 document(s): 0 error(s), 0 warning(s)\n"


def test_a_violation_in_a_har_is_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.har"
    generated("-n", 3, "--violating", "end_is_not_before_start", "--out", path)

    assert b" end_is_not_before_start " in deadringer("validate", path).stdout


@pytest.mark.parametrize("opened", [gzip.open, zstandard.open])
def test_the_extension_compresses(tmp_path: Path, opened: object) -> None:
    path = tmp_path / ("runs.ndjson.gz" if opened is gzip.open else "runs.ndjson.zst")
    generated("-n", COUNT, "--seed", 1, "--out", path)

    with opened(path, "rb") as stream:
        assert stream.read() == generated("-n", COUNT, "--seed", 1)


@pytest.mark.parametrize("name", FILES)
def test_the_bytes_are_those_of_one_worker_and_of_three(tmp_path: Path, name: str) -> None:
    written = []
    for workers in (1, 3):
        path = tmp_path / f"{workers}-{name}"
        generated("-n", COUNT, "--seed", 1, "--workers", workers, "--out", path)
        written.append(path.read_bytes())

    assert written[0] == written[1]


def test_a_gzip_file_names_no_time_and_no_system(tmp_path: Path) -> None:
    path = tmp_path / "runs.ndjson.gz"
    generated("--out", path)

    assert path.read_bytes()[:10] == b"\x1f\x8b\x08\x00" + bytes(5) + b"\xff"


def test_a_folder_gets_a_file_for_each_execution(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    generated("-n", 30, "--seed", 1, "--workers", 2, "--out", f"{folder}/")
    files = sorted(folder.iterdir())

    assert [path.name for path in files[:2]] == ["execution-0000000.json", "execution-0000001.json"]
    assert [json.loads(path.read_bytes()) for path in files] == expected(30)


@pytest.mark.parametrize("count", [600, pytest.param(5000, marks=pytest.mark.slow)])
def test_executions_keep_every_promise(count: int) -> None:
    generated = deadringer_process("generate", "-n", count, "--seed", 1).stdout
    validated = deadringer_process("validate", "-", stdin=generated)

    assert validated.stdout == f"{count} document(s): 0 error(s), 0 warning(s)\n".encode()


def test_constraints_are_those_of_the_library() -> None:
    constraints = {
        "status": {"failed": 0.3, "running": 0.1},
        "steps": (3, 12),
        "operations": ("generic_agent", "http_request", "delay"),
        "locale": "de_DE",
        "started_after": "2026-02-01",
        "started_before": "2026-02-03",
    }
    lines = generated(
        *("-n", 50, "--seed", 1, "--status", "failed=0.3,running=0.1", "--steps", "3..12"),
        *("--operations", "generic_agent,http_request", "--operations", "delay"),
        *("--locale", "de_DE", "--from", "2026-02-01", "--to", "2026-02-03"),
    ).splitlines()

    assert [json.loads(line) for line in lines] == expected(50, **constraints)


@pytest.mark.parametrize(
    ("options", "constraints"),
    [
        (["--status", "failed"], {"status": "failed"}),
        (["--steps", "5"], {"steps": 5}),
        (["--loops"], {"loops": True}),
        (["--no-loops"], {"loops": False}),
        (["--edge"], {"edge": True}),
    ],
)
def test_one_constraint_is_that_of_the_library(options: list, constraints: dict) -> None:
    lines = generated("-n", 20, "--seed", 1, *options).splitlines()

    assert [json.loads(line) for line in lines] == expected(20, **constraints)


def test_a_seed_may_be_a_text() -> None:
    assert json.loads(generated("--seed", "tuesday")) == generate("tuesday")


def test_an_envelope_is_the_answer_of_the_api() -> None:
    response = json.loads(generated("--seed", 1, "--envelope"))

    assert response == {"success": True, "message": MESSAGE, "data": generate(1)}


def test_violating_executions_violate_that_one_rule() -> None:
    text = generated("-n", 20, "--seed", 1, "--violating", "id_differs_from_run_id")
    validated = deadringer("validate", "-", stdin=text)

    rules = {line.split()[3] for line in validated.stdout.decode().splitlines()[:-1]}
    assert rules == {"id_differs_from_run_id"}
    assert json.loads(text.splitlines()[0]) == violating_execution(1, "id_differs_from_run_id")
    assert len(set(text.splitlines())) == 20


@pytest.mark.parametrize("form", ["ndjson", "json", "csv", "har"])
@pytest.mark.parametrize(
    "fault", ["steps-as-object", "steps-null-before-first", "created-missing", "epoch-timestamps"]
)
def test_a_fault_can_be_written_in_every_text_format(fault: str, form: str) -> None:
    text = generated("-n", 3, "--seed", 1, "--violating", fault, "--format", form)

    documents = [violating_execution(seed, fault) for seed in (1, "1/1", "1/2")]
    assert all(one["run_id"] in text.decode() for one in documents)
    if form == "ndjson":
        assert [json.loads(line) for line in text.splitlines()] == documents


def test_an_example_is_the_recording() -> None:
    (recording,) = (one for one in load_recordings() if one.name == "happy_branch")

    assert json.loads(generated("--example", "happy_branch")) == recording.execution


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.jsonl", "ndjson"), ("a", "ndjson"), ("a.JSON", "json"), ("a.v1.2", "ndjson")],
)
def test_the_form_follows_the_extension(tmp_path: Path, name: str, form: str) -> None:
    generated("--out", tmp_path / name)

    assert (tmp_path / name).read_bytes() == generated("--format", form)


def test_the_library_writes_what_the_command_writes(tmp_path: Path) -> None:
    stream, path = io.BytesIO(), tmp_path / "runs.ndjson"
    request = OutputRequest(count=700, seed=1)
    write_stream(request, stream, workers=1, progress=lambda _done: None)
    write_file(request, path, workers=1, restart=False, progress=lambda _done: None)

    assert stream.getvalue() == path.read_bytes() == generated("-n", 700, "--seed", 1)
