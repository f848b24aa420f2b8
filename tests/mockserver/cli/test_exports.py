"""What a frontend project checks in: types, handlers and a collection, true to the contract."""

import json
import re
from pathlib import Path

import pytest

from deadringer.contracts import load_schema, operations, schema_names, validate, variants_of
from deadringer.fixtures import load_recordings
from tests.mockserver.cli import deadringer, generated, refusal

FORMS = ("msw", "postman", "typescript")


@pytest.mark.parametrize("form", FORMS)
def test_check_tells_whether_a_kept_file_is_up_to_date(tmp_path: Path, form: str) -> None:
    path = tmp_path / "exported"
    generated("--format", form, "--out", path)
    fresh = deadringer("generate", "--format", form, "--out", path, "--check")
    path.write_bytes(path.read_bytes().replace(b"wf_", b"fw_").replace(b"String", b"Text"))
    path.write_bytes(path.read_bytes() + b"// more\n")
    stale = deadringer("generate", "--format", form, "--out", path, "--check")

    assert (fresh.returncode, fresh.stdout.decode()) == (0, f"{path} is up to date\n")
    assert stale.returncode == 1
    assert re.search(rb"out of date: .*exported differs from line \d+ on", stale.stderr)
    assert b"Renew it: the same command without --check." in stale.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_text_goes_to_a_file_and_to_standard_output(tmp_path: Path, form: str) -> None:
    generated("--format", form, "--out", tmp_path / "exported")

    assert (tmp_path / "exported").read_bytes() == generated("--format", form)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--format msw -n 3", "msw exports the recorded executions as they are. Leave out --count"),
        ("--format postman --seed 3 --edge", "Leave out --seed, --edge."),
        ("--format typescript --check", "--check compares with a file. Name it: --out FILE."),
        ("--format typescript --out nowhere/a.ts", "there is no folder nowhere."),
        ("--format typescript --out .", ". is a folder. Name a file in it."),
    ],
)
def test_a_refusal_says_how_to_fix_it(options: str, message: str) -> None:
    assert message in refusal(*options.split())


def test_there_is_a_type_for_every_schema() -> None:
    text = generated("--format", "typescript").decode()
    named = re.findall(r"^export (?:interface|type) (\w+)", text, re.MULTILINE)

    variants = [one for name in schema_names() for one in variants_of(load_schema(name))]
    assert len(named) == len(set(named)) == len(schema_names()) + len(variants)
    assert {"Execution", "Step", "ExecutionEnvelope", "ExecutionListEnvelope", "ApiError"} <= {
        *named
    }


def types_to_see() -> list:
    column = load_schema("column")
    variants = [
        pytest.param(f"{value.capitalize()}{component}", variant, id=f"{value} {name}")
        for name, component in (
            ("execution", "Execution"),
            ("step", "Step"),
            ("execution_row", "ExecutionRow"),
        )
        for value, variant in variants_of(load_schema(name)).items()
    ]
    return [pytest.param("Column", column, id="column"), *variants]


@pytest.mark.parametrize(("name", "described"), types_to_see())
def test_a_type_has_every_member_with_its_nulls_and_its_mark(name: str, described: dict) -> None:
    text = generated("--format", "typescript").decode()
    body = re.search(rf"export interface {name} \{{\n(.*?)\n\}}\n", text, re.DOTALL)[1]
    members = dict(re.findall(r"^  (\w+\??): (.*);$", body, re.MULTILINE))

    required = set(described["required"])
    assert set(members) == {
        key if key in required else f"{key}?" for key in described["properties"]
    }
    for key, value in described["properties"].items():
        is_nullable = "null" in value.get("type", ())
        assert ("null" in members[key if key in required else f"{key}?"]) is is_nullable


def test_types_of_an_execution_are_those_of_the_documentation() -> None:
    text = generated("--format", "typescript").decode()

    for line in (
        "export type Execution = RunningExecution | CompletedExecution | FailedExecution;",
        '  status: "completed";',
        "  duration_ms: number;",
        "  column_config?: Column[] | null;",
        "  steps: Step[];",
        "  error: string | Record<string, unknown>;",
        "export type ErrorUnauthorized = ApiError | ErrorUnauthorizedLegacy;",
    ):
        assert line in text.splitlines()


@pytest.fixture(scope="module")
def collection() -> dict:
    return json.loads(generated("--format", "postman"))


def test_a_collection_has_the_form_2_1(collection: dict) -> None:
    assert collection["info"]["schema"].endswith("/collection/v2.1.0/collection.json")
    assert {"name", "description"} <= set(collection["info"])
    assert {one["key"] for one in collection["variable"]} == {"baseUrl", "apiKey"}
    for item in collection["item"]:
        assert set(item) == {"name", "event", "request", "response"}
        for response in item["response"]:
            assert {"name", "originalRequest", "status", "code", "header", "body"} <= set(response)
            assert response["originalRequest"]["url"]["host"] == ["{{baseUrl}}"]


def test_a_collection_has_every_operation_with_its_parameters(collection: dict) -> None:
    requests = [item["request"] for item in collection["item"]]

    assert [(one["method"], one["url"]["raw"]) for one in requests] == [
        (one.method, "{{baseUrl}}" + re.sub(r"\{(\w+)\}", r":\1", one.path)) for one in operations()
    ]
    for request, operation in zip(requests, operations(), strict=True):
        sent = {one["key"] for one in request["url"]["variable"] + request["url"]["query"]}
        known = {one["name"] for one in operation.described["parameters"] if "name" in one}
        assert sent == known | set(operation.path_parameters)


def test_a_collection_has_good_and_bad_answers_that_keep_the_contract(collection: dict) -> None:
    names = {item["name"]: item["response"] for item in collection["item"]}
    detail = [json.loads(one["body"]) for one in names["Execution Detail"] if one["code"] == 200]

    assert len(detail) > 15
    assert [one for body in detail for one in validate(body, "execution_envelope")] == []
    for responses in names.values():
        assert {one["code"] for one in responses} >= {200, 401, 429}
        for response in responses:
            assert json.loads(response["body"])["success"] is (response["code"] == 200)


def test_an_answer_of_a_collection_was_given_to_its_own_request(collection: dict) -> None:
    (item,) = (one for one in collection["item"] if one["name"] == "Execution Detail")
    for response in item["response"]:
        if response["name"] in {one.name for one in load_recordings()}:
            requested = {
                one["key"]: one["value"] for one in response["originalRequest"]["url"]["variable"]
            }
            data = json.loads(response["body"])["data"]
            assert requested == {"id": data["workflow_id"], "runId": data["run_id"]}


def test_handlers_carry_every_recording_and_every_operation() -> None:
    lines = generated("--format", "msw").decode().splitlines()

    for recording in load_recordings():
        text = json.dumps(recording.execution, ensure_ascii=False, separators=(",", ":"))
        assert f"  {text}," in lines
    for operation in operations():
        assert f"  {operation.operation_id}: " in "\n".join(lines)


@pytest.mark.parametrize("form", FORMS)
def test_a_compressed_export_is_refused(tmp_path: Path, form: str) -> None:
    message = deadringer("generate", "--format", form, "--out", tmp_path / "exported.gz")

    assert message.returncode == 2
    assert b"Leave .gz out of --out" in message.stderr
    assert list(tmp_path.iterdir()) == []
