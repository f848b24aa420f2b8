"""Every file that a user hands to the mock is read alike: any Unicode, bounded, never blocking."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from deadringer.contracts import load_schema
from deadringer.contracts.check import BaselineError, load_baseline
from deadringer.fixtures import DocumentsError, load_documents
from deadringer.mockserver import Settings, create_app
from deadringer.mockserver.admin.viewer import NoExecutionError, read_execution
from deadringer.mockserver.world.scenarios import ScenarioError, load_scenario
from tests.mockserver.conftest import DEMO
from tests.mutation.servers import serving

EXAMPLE = load_schema("execution")["examples"][0]
SCENARIO = "summary: é\nworld:\n  recorded: false\n"


def read_fixture(path: Path) -> object:
    return [one.execution["run_id"] for one in load_documents(path.parent)]


def read_baseline(path: Path) -> object:
    return load_baseline(path)


def read_viewed(path: Path) -> object:
    return read_execution(str(path), None).execution["run_id"]


def read_scenario(path: Path) -> object:
    return load_scenario(str(path), 1).document


DOORS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "fixture": (read_fixture, "one.json", json.dumps(EXAMPLE)),
    "baseline": (read_baseline, "base.json", '{"accepted": [{"fingerprint": "é"}]}'),
    "view": (read_viewed, "run.json", json.dumps(EXAMPLE)),
    "scenario": (read_scenario, "mine.yaml", SCENARIO),
}
PROBLEMS = (DocumentsError, BaselineError, NoExecutionError, ScenarioError)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_every_unicode_encoding_and_line_end_is_read(
    tmp_path: Path, door: str, encoding: str
) -> None:
    read, name, text = DOORS[door]
    plain, coded = tmp_path / "plain", tmp_path / "coded"
    for folder, content in ((plain, text.encode()), (coded, text.encode(encoding))):
        folder.mkdir()
        (folder / name).write_bytes(content)
    (coded / name).write_bytes(text.replace("\n", "\r\n").encode(encoding))

    assert read(coded / name) == read(plain / name)


@pytest.mark.parametrize("door", DOORS)
def test_other_bytes_are_refused_with_their_place(tmp_path: Path, door: str) -> None:
    read, name, text = DOORS[door]
    (tmp_path / name).write_bytes(text.encode() + b"\xff")

    with pytest.raises(PROBLEMS, match=f"not UTF-8 at byte {len(text.encode())}"):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("door", [door for door in DOORS if door != "fixture"])
def test_a_named_pipe_does_not_block(tmp_path: Path, door: str) -> None:
    read, name, _text = DOORS[door]
    os.mkfifo(tmp_path / name)

    with pytest.raises(PROBLEMS, match="named pipe"):
        read(tmp_path / name)


@pytest.mark.parametrize("door", [door for door in DOORS if door != "scenario"])
@pytest.mark.parametrize("tail", ["NaN", "[1, Infinity]", "{} {}"])
def test_what_is_no_json_is_refused(tmp_path: Path, door: str, tail: str) -> None:
    read, name, _text = DOORS[door]
    (tmp_path / name).write_text(f'{{"a": {tail}}}')

    with pytest.raises(PROBLEMS, match="not JSON"):
        read(tmp_path / name)


def test_aliases_do_not_multiply_without_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path = tmp_path / "laughs.yaml"
    path.write_text("\n".join(lines))

    with pytest.raises(ScenarioError, match=r"more than 200,000 values once aliases are replaced"):
        load_scenario(str(path), 1)


@pytest.mark.parametrize("index", ["9" * 5000, "1" * 4301])
def test_a_scenario_with_an_endless_index_is_served_or_refused(tmp_path: Path, index: str) -> None:
    column = {"id": "c", "stepId": "agent-1", "fieldPath": f"a[{index}]", "label": "C"}
    document = {"executions": [{**EXAMPLE, "column_config": [column]}]}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document))

    with suppress(ScenarioError):
        load_scenario(str(path), 1)


LARGE = {
    "an index of 5,000 digits": ('"Summary"', '"x"', "result.items[" + "9" * 5000 + "]"),
    "a path of 400,000 characters": ('"Summary"', '"x"', "a." * 200_000),
    "an integer of 400 digits": ('"duration_ms": 4320', f'"duration_ms": {10**400}', "a"),
    "a member nested 250 deep": ('"ok": true', '"ok": ' + '{"a": ' * 250 + "1" + "}" * 250, "a"),
    "half a surrogate pair": ('"Summary"', '"\\ud800"', "a"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_document_of_unusual_size_breaks_no_page(name: str) -> None:
    old, new, field_path = LARGE[name]
    column = {**EXAMPLE["column_config"][0], "fieldPath": field_path}
    text = json.dumps({**EXAMPLE, "column_config": [column]})
    assert old in text
    place = f"workflows/{EXAMPLE['workflow_id']}/executions/{EXAMPLE['run_id']}"

    with serving(create_app(Settings())) as url:
        client = httpx.Client(base_url=url, headers=DEMO, trust_env=False, timeout=30)
        with client:
            put = client.put(
                f"/__mock/{place}?force=true",
                content=text.replace(old, new),
                headers={"content-type": "application/json"},
            )
            pages = [
                f"/v1/{place}",
                f"/__mock/ui/runs/{EXAMPLE['workflow_id']}/{EXAMPLE['run_id']}",
                "/__mock/journal",
                "/__mock/ui/journal",
            ]
            statuses = {page: client.get(page).status_code for page in pages}

    assert put.status_code == 200
    assert set(statuses.values()) == {200}


def test_numbers_keep_their_digits_from_the_file_to_every_response(
    tmp_path: Path, start_server: Callable
) -> None:
    digits = "[1.10, 2E3, 98765432109876543210.123456789]"
    run = {**EXAMPLE, "run_id": "run_digits", "workflow_id": "wf_digits", "column_config": None}
    step = {**EXAMPLE["steps"][0], "output": {"n": "HERE"}, "mapped_output": None}
    text = json.dumps({**run, "steps": [step]}).replace('"HERE"', digits)
    (tmp_path / "one.json").write_text(text)
    (tmp_path / ".one.json").write_text("hidden")

    started = start_server("--fixtures", str(tmp_path))

    assert f"Not read in {tmp_path}: .one.json (a hidden file)." in started.log_file.read_text()
    place = "/v1/workflows/wf_digits/executions/run_digits"
    for path in (place, f"{place}/variables"):
        body = httpx.get(started.url + path, headers=DEMO, trust_env=False).content
        assert digits.replace(" ", "").encode() in body.replace(b" ", b"")
