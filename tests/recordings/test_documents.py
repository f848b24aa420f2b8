"""A user's own documents are judged before they are served, and every reason is told at once."""

import copy
import json
from pathlib import Path

import pytest

from deadringer.contracts import load_schema
from deadringer.fixtures import DocumentsError, load_documents


@pytest.fixture
def execution() -> dict:
    return copy.deepcopy(load_schema("execution")["examples"][0])


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_a_file_holds_an_execution_an_envelope_or_an_array(tmp_path: Path, execution: dict) -> None:
    write(tmp_path, "bare.json", execution | {"run_id": "one"})
    write(tmp_path, "envelope.json", {"success": True, "data": execution | {"run_id": "two"}})
    write(
        tmp_path,
        "many.json",
        [
            execution | {"run_id": "three"},
            {"success": True, "data": execution | {"run_id": "four"}},
        ],
    )
    write(tmp_path, "notes.txt", "not read")

    documents = load_documents(tmp_path)

    assert [(one.execution["run_id"], one.path.name, one.pointer) for one in documents] == [
        ("one", "bare.json", ""),
        ("two", "envelope.json", "/data"),
        ("three", "many.json", "/0"),
        ("four", "many.json", "/1/data"),
    ]


def test_every_breach_of_every_file_is_told_at_once(tmp_path: Path, execution: dict) -> None:
    write(tmp_path, "a.json", execution | {"run_id": "a", "status": "done", "created": "today"})
    write(tmp_path, "b.json", [execution | {"run_id": "b", "steps": None}])
    write(tmp_path, "c.json", '{"id": 1,\n  oops}')

    with pytest.raises(DocumentsError) as caught:
        load_documents(tmp_path)

    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert f"{tmp_path / 'a.json'}: /status: expected one of" in str(caught.value)
    assert "a.json: /created: expected an ISO 8601 timestamp" in str(caught.value)
    assert "b.json: /0/steps: expected type array, got null. Fix: " in str(caught.value)
    assert "c.json:2:3: not JSON" in str(caught.value)


def test_a_run_that_stands_in_two_files_is_refused(tmp_path: Path, execution: dict) -> None:
    first = write(tmp_path, "a.json", execution)
    write(tmp_path, "b.json", execution)

    with pytest.raises(DocumentsError, match=r"b\.json: /run_id: run 'run_x7k9m2'") as caught:
        load_documents(tmp_path)

    assert str(first) in str(caught.value)


@pytest.mark.parametrize("content", ["3", "null", '"text"', "[1]"])
def test_a_document_that_is_no_execution_is_told(tmp_path: Path, content: str) -> None:
    write(tmp_path, "odd.json", content)

    with pytest.raises(DocumentsError, match="expected type object"):
        load_documents(tmp_path)


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'"\xff"')

    with pytest.raises(DocumentsError, match=r"latin\.json: cannot be read"):
        load_documents(tmp_path)


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="No such file or directory") as caught:
        load_documents(tmp_path / "nowhere")

    assert len(str(caught.value).splitlines()) == 1


def test_a_document_that_breaks_a_promise_is_told_by_its_rule(
    tmp_path: Path, execution: dict
) -> None:
    write(tmp_path, "late.json", execution | {"duration_ms": 4})

    with pytest.raises(DocumentsError, match=r"late\.json: /duration_ms: expected 4320"):
        load_documents(tmp_path)
