"""Bodies of the control API are read exactly: every digit of a number, and each member once."""

import json
from pathlib import Path

import pytest

from deadringer.contracts import exact_json_bytes, load_schema, read_json
from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.state.events import SessionSnapshot
from deadringer.mockserver.state.sqlite import SqliteEventLog
from tests.mockserver.conftest import DEMO

EXAMPLE = load_schema("execution")["examples"][0]
NUMBERS = ["1.10", "12345678901234567890", "1E3", "-0.0", "0.1000000000000000055511151231257827"]
RUN = "/workflows/wf_abc123/executions/run_exact"
OUTPUT = '{"result": {"output": "x", "numbers": [' + ", ".join(NUMBERS) + "]}}"


@pytest.fixture
def mock(over_http, clock, tmp_path: Path):
    return over_http(build_app(Settings(state=tmp_path / "state.db"), clock=clock))


def text_of(run_id: str = "run_exact", output: str = OUTPUT) -> str:
    """Return the example as JSON text, with this text as the output of its last step."""
    execution = json.loads(json.dumps(EXAMPLE)) | {"run_id": run_id}
    execution["steps"][-1]["output"] = "THE OUTPUT"
    return json.dumps(execution).replace('"THE OUTPUT"', output)


def compact(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


def put(mock, text: str, path: str = RUN):
    return mock.put(f"/__mock{path}", content=text, headers={"content-type": "application/json"})


def test_numbers_keep_their_digits_from_the_control_api_to_the_response(mock) -> None:
    response = put(mock, text_of())

    assert response.status_code == 200, response.text
    assert compact(OUTPUT) in compact(response.text)
    assert compact(OUTPUT) in mock.get(f"/v1{RUN}").text
    assert compact(OUTPUT) in mock.get(f"/v1{RUN}/variables").text


def test_numbers_keep_their_digits_when_other_members_change(mock) -> None:
    put(mock, text_of())

    response = mock.patch(f"/__mock{RUN}", json={"event_name": "workflows/new-post"})

    assert response.status_code == 200, response.text
    assert compact(OUTPUT) in mock.get(f"/v1{RUN}").text


def test_numbers_keep_their_digits_over_a_restart(over_http, clock, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    app = build_app(Settings(state=path), clock=clock)
    put(over_http(app), text_of())
    app.extensions[EXTENSION].close()

    again = build_app(Settings(state=path), clock=clock)

    assert compact(OUTPUT) in again.test_client().get(f"/v1{RUN}", headers=DEMO).text
    again.extensions[EXTENSION].close()


def test_numbers_keep_their_digits_in_events_and_snapshots(tmp_path: Path) -> None:
    body = read_json(OUTPUT, exact=True)
    log = SqliteEventLog(tmp_path / "state.db")
    log.add("", "put", body)
    log.save([SessionSnapshot("a", 1, body)])

    (event,) = log.since(0)
    snapshot = log.load("a")

    assert snapshot is not None
    for one in (event.body, snapshot.body):
        assert exact_json_bytes(one).decode() == compact(OUTPUT)
    log.close()


def test_numbers_of_a_scenario_keep_their_digits(mock) -> None:
    document = f'{{"summary": "x", "executions": [{text_of()}]}}'
    body = f'{{"name": "mine", "document": {document}}}'

    response = put(mock, body, "/scenario")

    assert response.status_code == 200, response.text
    assert compact(OUTPUT) in mock.get(f"/v1{RUN}").text


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        (text_of().replace('"id":', '"id": "x", "id":', 1), ["/id"]),
        (text_of(output='{"a": {"b": 1, "b": 2}, "a": 3}'), ["/steps/1/output/a"]),
        (text_of(output='[{"b": 1, "b": 2}, {"c~/": 1, "c~/": 2}]'),
         ["/steps/1/output/0/b", "/steps/1/output/1/c~0~1"]),
    ],
)  # fmt: skip
def test_a_member_that_stands_twice_is_refused_with_its_place(
    mock, text: str, pointers: list[str]
) -> None:
    response = put(mock, text, f"{RUN}?force=true")

    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    lines = [one for one in error["details"]["errors"] if "more than once" in one]
    assert sorted(one.partition(": ")[0] for one in lines) == pointers
    assert mock.get(f"/v1{RUN}").status_code == 404


def test_a_member_that_stands_twice_is_refused_by_other_operations(mock) -> None:
    text = '{"kind": "status", "status": 503, "status": 502}'

    response = mock.post(
        "/__mock/faults", content=text, headers={"content-type": "application/json"}
    )

    assert response.status_code == 400
    assert response.json()["error"]["details"]["errors"] == [
        "/status: is more than once in one object. Write it once"
    ]
    assert mock.get("/__mock/faults").json()["in_force"] == []
