"""`deadringer validate` validates stored documents, names each violation, and exits 0, 1 or 2."""

import base64
import copy
import gzip
import json
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from deadringer.contracts import load_schema
from deadringer.fixtures import load_recordings
from deadringer.mockserver.cli import main

EXAMPLE = load_schema("execution")["examples"][0]
BROKEN = {**EXAMPLE, "duration_ms": 4}
PAGE = load_schema("execution_list_envelope")["examples"][0]


def validate(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "deadringer", "validate", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(folder: Path, name: str, content: object) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(path)


def test_every_recording_is_clean() -> None:
    done = validate(*(str(recording.path) for recording in load_recordings()))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(load_recordings())} document(s): 0 error(s), 0 warning(s)\n"


@pytest.mark.parametrize(
    ("document", "pointer", "rule"),
    [
        (BROKEN, "/duration_ms", "duration_is_end_minus_start"),
        ({"success": True, "data": BROKEN}, "/data/duration_ms", "duration_is_end_minus_start"),
        ({"success": 1, "data": EXAMPLE}, "/success", "schema"),
        ([EXAMPLE, BROKEN], "/1/duration_ms", "duration_is_end_minus_start"),
        ({**PAGE, "data": {**PAGE["data"], "executions": [{}]}}, "/data/executions/0", "schema"),
        ({"success": False, "error": {"code": "NOT_FOUND"}}, "/error", "schema"),
    ],
)
def test_every_kind_of_document_is_judged(
    tmp_path: Path, document: object, pointer: str, rule: str
) -> None:
    name = write(tmp_path, "one.json", document)

    done = validate(name)

    assert done.returncode == 1
    assert f"{name} {pointer} error {rule} expected " in done.stdout


def test_lines_are_judged_and_told_by_number() -> None:
    lines = "\n".join(json.dumps(one) for one in (EXAMPLE, EXAMPLE, BROKEN))

    done = validate("-", stdin=lines)

    assert done.returncode == 1
    assert done.stdout.startswith("-:3 /duration_ms error duration_is_end_minus_start")
    assert done.stdout.endswith("3 document(s): 1 error(s), 0 warning(s)\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1,\n  oops}', ":2:3: not JSON"),
        ('{"run_id": 1}\n{"run_id": 2, "steps": []}\n{oops}\n', "unrecognized document"),
        ('{"anything": 1}', "Pass an execution, a workflow"),
        ("", "bad.json: empty: there is nothing to validate. Pass an execution"),
        (" \n\n", "bad.json: empty: "),
        ("PAR1\0", "This is Parquet"),
        ("[]", "bad.json: an empty array: there is nothing to validate."),
        (
            '{"log": {"version": "1.2", "entries": []}}',
            "contains no request of the API with a response",
        ),
    ],
)
def test_unreadable_input_is_told_and_exits_2(tmp_path: Path, content: str, message: str) -> None:
    done = validate(write(tmp_path, "bad.json", content))

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_is_told_to_be_none_of_what_is_judged(tmp_path: Path) -> None:
    done = validate(write(tmp_path, "runs.csv", "id,status\n1,failed\n"))

    assert done.returncode == 2
    assert "A table is not validated: pass the JSON or NDJSON it was made from." in done.stderr


@pytest.mark.parametrize("first", ["{oops}", "", "[", "7" * 5000, '"\\ud800"'])
def test_a_bad_first_line_is_one_line(tmp_path: Path, first: str) -> None:
    lines = [first, json.dumps(EXAMPLE), json.dumps(BROKEN)]

    done = validate(write(tmp_path, "some.ndjson", "\n".join(lines)))

    assert done.returncode == (2 if first else 1)
    assert "some.ndjson:3 /duration_ms error" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 document(s): 1 error(s)")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("indent", [None, 2, 0])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_array_over_several_lines_is_one_document(
    tmp_path: Path, count: int, indent: int | None
) -> None:
    elements = [json.dumps(EXAMPLE, indent=indent)] * count
    content = "[\n" + ",\n".join(elements) + "\n]\n"

    done = validate(write(tmp_path, "all.json", content))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{count} document(s)")


@pytest.mark.parametrize("unusual", [{"n": "DIGITS"}, {**EXAMPLE, "status": "\ud800"}])
def test_what_python_itself_refuses_does_not_end_the_judging(tmp_path: Path, unusual: dict) -> None:
    lines = [json.dumps(one).replace('"DIGITS"', "7" * 5000) for one in (EXAMPLE, unusual, BROKEN)]

    done = validate(write(tmp_path, "some.ndjson", "\n".join(lines)))

    assert "some.ndjson:3 /duration_ms error" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["lines", "array"])
def test_what_cannot_be_judged_does_not_end_the_judging(tmp_path: Path, form: str) -> None:
    documents = [EXAMPLE, {"anything": 1}, BROKEN, *([7] * 30), BROKEN]
    lines = [json.dumps(one) for one in documents]
    if form == "lines":
        lines.insert(3, "{oops}")
        content = "\n".join(lines)
    else:
        content = f"[{','.join(lines)}]"

    done = validate("--format", "json", write(tmp_path, "some.json", content))
    *message, last = map(json.loads, done.stdout.splitlines())

    assert done.returncode == 2
    assert len(message) == 2
    unreadable = 32 if form == "lines" else 31
    assert last["summary"] == {"documents": 3, "error": 2, "warning": 0, "unreadable": unreadable}
    *_, left_out = done.stderr.splitlines()
    assert len(done.stderr.splitlines()) == 21
    assert left_out.endswith(f"some.json: {unreadable - 20} more cannot be validated.")
    assert (
        "some.json:2: /: unrecog" if form == "lines" else "some.json: /1: unrecog"
    ) in done.stderr


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_compressed_file_is_judged_as_what_it_holds(tmp_path: Path, pack: Callable) -> None:
    lines = f"{json.dumps(EXAMPLE)}\n{json.dumps(BROKEN)}\n".encode()
    path = tmp_path / f"runs.ndjson.{'gz' if pack is gzip.compress else 'zst'}"
    path.write_bytes(pack(lines))
    whole = validate(str(path))

    path.write_bytes(pack(lines) + pack(lines))
    of_two_parts = validate(str(path))

    assert (whole.returncode, of_two_parts.returncode) == (1, 1)
    assert f"{path}:2 /duration_ms error" in whole.stdout
    assert f"{path}:4 /duration_ms error" in of_two_parts.stdout


def in_pieces_gz(lines: list[bytes]) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(line) + packer.flush(zlib.Z_FULL_FLUSH) for line in lines)


def in_pieces_zst(lines: list[bytes]) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return b"".join(packer.compress(line) + packer.flush(flush) for line in lines)


@pytest.mark.parametrize("pack", [in_pieces_gz, in_pieces_zst])
@pytest.mark.parametrize("harm", ["cut off after a line", "overwritten"])
def test_a_damaged_compressed_file_is_told_and_not_taken_for_whole(
    tmp_path: Path, pack: Callable, harm: str
) -> None:
    path = tmp_path / f"runs.ndjson{'.gz' if pack is in_pieces_gz else '.zst'}"
    packed = pack([json.dumps(EXAMPLE).encode() + b"\n"] * 9)  # and no end
    path.write_bytes(packed if "cut" in harm else packed[:-40] + 40 * b"!")

    done = validate(str(path))

    assert done.returncode == 2
    assert f"{path}: damaged: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_what_cannot_be_printed_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "bad.ndjson", "\n".join([json.dumps(BROKEN)] * 300))
    command = f"{sys.executable} -m deadringer validate {path} > /dev/full"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "deadringer validate: cannot print: No space left on device.\n"


@pytest.mark.parametrize(
    ("pack", "way"), [(gzip.compress, "gzip -dc"), (zstandard.compress, "zstd -dc")]
)
def test_what_is_compressed_without_saying_so_is_told_how_to_be_read(
    tmp_path: Path, pack: Callable, way: str
) -> None:
    path = tmp_path / "runs.ndjson"
    path.write_bytes(pack(json.dumps(EXAMPLE).encode()))

    done = validate(str(path))

    assert done.returncode == 2
    assert f"Unpack it first, with {way}." in done.stderr


def test_a_missing_file_is_told_and_the_others_are_judged(tmp_path: Path) -> None:
    good = write(tmp_path, "good.json", EXAMPLE)

    done = validate(str(tmp_path / "none.json"), good)

    assert done.returncode == 2
    assert "No such file" in done.stderr
    assert "1 document(s)" in done.stdout


def test_the_formats_for_machines(tmp_path: Path) -> None:
    name = write(tmp_path, "one.json", BROKEN)

    message = [json.loads(line) for line in validate("--format", "json", name).stdout.splitlines()]
    github = validate("--format", "github", name).stdout

    assert message[0]["rule"] == "duration_is_end_minus_start"
    assert message[1] == {"summary": {"documents": 1, "error": 1, "warning": 0, "unreadable": 0}}
    assert github.startswith(f"::error file={name},line=1,title=duration_is_end_minus_start::")


def test_warnings_pass_unless_asked_for(tmp_path: Path) -> None:
    late = {**EXAMPLE, "created": "2026-03-28T10:15:00.000Z"}
    name = write(tmp_path, "late.json", late)

    assert validate(name).returncode == 0
    assert validate("--fail-on", "warning", name).returncode == 1
    assert validate("--fail-on", "warning", "--skip", "DR022", name).returncode == 0
    assert validate("--only", "no_such_rule", name).returncode == 2


def entry(path: str, body: object, *, second: int, status: int = 200, encoded: bool = False):
    text = json.dumps(body)
    content = {"text": text}
    if encoded:
        content = {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
    headers = {f"RateLimit-{name}": value for name, value in _WINDOW.items()}
    return {
        "startedDateTime": f"2026-03-27T10:16:{second:02}.000Z",
        "time": 12,
        "request": {
            "method": "GET",
            "url": f"https://api.example.com/prefix/v1/workflows/wf_abc123{path}",
            "headers": [{"name": "X-Api-Key", "value": "trig_0123456789abcdef"}],
        },
        "response": {
            "status": status,
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                *({"name": name, "value": value} for name, value in headers.items()),
            ],
            "content": content,
        },
    }


_WINDOW = {"Limit": "100", "Remaining": "87", "Reset": "13"}


def test_a_har_is_judged_over_the_whole_recording(tmp_path: Path) -> None:
    moved = copy.deepcopy(EXAMPLE)
    moved["steps"][0]["output"] = None
    moved["steps"][0]["mapped_output"] = None
    detail = "/executions/run_x7k9m2"
    good = {"success": True, "data": EXAMPLE}
    har = {
        "log": {
            "entries": [
                entry(detail, good, second=1),
                entry(detail, good, second=2, encoded=True),
                entry(detail, {"success": True, "data": moved}, second=3),
                entry("/executions/run_other", good, second=4),
                {"request": {"method": "GET", "url": "https://cdn.example.com/x.js"}},
            ]
        }
    }

    done = validate(write(tmp_path, "recorded.har", har))

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(" finished_runs_never_change " in line and "/entries/2/" in line for line in lines)
    assert any(" detail_is_of_the_run_asked_for " in line for line in lines)
    assert not any("/entries/1/" in line for line in lines)


def test_a_clean_har_is_clean(tmp_path: Path) -> None:
    good = {"success": True, "data": EXAMPLE}
    entries = [entry("/executions/run_x7k9m2", good, second=second) for second in (1, 2)]

    done = validate("--fail-on", "warning", write(tmp_path, "a.har", {"log": {"entries": entries}}))

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.slow
def test_lines_are_judged_in_constant_memory(tmp_path: Path) -> None:
    line = json.dumps(EXAMPLE) + "\n"
    small = write(tmp_path, "small.ndjson", line * 10)
    large = write(tmp_path, "large.ndjson", line * 12_000)
    peaks = [peak_kilobytes(small), peak_kilobytes(large)]

    assert Path(large).stat().st_size > 15_000_000
    assert peaks[1] - peaks[0] < 15_000


def peak_kilobytes(name: str) -> int:
    """Return the peak memory of validating a file, in a process of its own."""
    script = (
        "import resource, sys\nfrom deadringer.mockserver.cli import main\n"
        f"sys.argv = ['deadringer', 'validate', {name!r}]\n"
        "try:\n    main()\nexcept SystemExit as done:\n"
        "    assert done.code == 0\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert resource.getpagesize()
    return int(done.stdout.splitlines()[-1])


def test_a_har_whose_exporter_removed_the_keys_raises_no_false_alarm(tmp_path: Path) -> None:
    recorded = entry("/executions/run_x7k9m2", {"success": True, "data": EXAMPLE}, second=1)
    recorded["request"]["headers"] = []

    done = validate(write(tmp_path, "a.har", {"log": {"entries": [recorded]}}))

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_har_with_keys_still_tells_of_an_answer_without_one(tmp_path: Path) -> None:
    good = {"success": True, "data": EXAMPLE}
    entries = [entry("/executions/run_x7k9m2", good, second=second) for second in (1, 2)]
    entries[1]["request"]["headers"] = []

    done = validate(write(tmp_path, "a.har", {"log": {"entries": entries}}))

    assert done.returncode == 1
    assert " requests_without_good_key_are_refused " in done.stdout


RECORDINGS = Path(__file__).parents[2] / "contracts" / "recordings"


def test_entries_of_recordings_are_counted_over_all_files() -> None:
    names = [str(RECORDINGS / f"{tool}.har") for tool in ("charles", "proxyman")]

    text = CliRunner().invoke(main, ["validate", *names])
    machine = CliRunner().invoke(main, ["validate", "--format", "json", *names])

    assert (text.exit_code, machine.exit_code) == (0, 0)
    assert text.output.startswith("HAR: 7 entries, 4 validated (2 without a recorded body: status")
    assert "3 skipped: 2 without a response" in text.output
    assert json.loads(machine.output)["summary"]["har_entries"] == {
        "total": 7,
        "validated": 4,
        "without_body": 2,
        "skipped": {"no_response": 2, "other_path": 1},
    }
