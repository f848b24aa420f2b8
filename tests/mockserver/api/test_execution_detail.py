"""Execution Detail over HTTP."""

import json
from urllib.parse import quote

import pytest

from deadringer.contracts import validate
from deadringer.fixtures import load_recordings

RECORDINGS = load_recordings()
FIELDS_OF_AN_EXECUTION = [
    *("id", "run_id", "workflow_id", "status", "started_at", "ended_at", "duration_ms"),
    *("event_name", "created", "column_config", "steps", "error"),
]


def detail_path(execution):
    return f"/v1/workflows/{execution['workflow_id']}/executions/{execution['run_id']}"


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_every_recording_is_served_as_it_was_recorded(client, recording):
    response = client.get(detail_path(recording.execution))

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["data"] == recording.execution
    assert list(validate(response.json(), "execution_envelope")) == []


def test_the_members_stand_in_the_documented_order(client):
    body = client.get(detail_path(RECORDINGS[0].execution)).json()

    assert list(body) == ["success", "message", "data"]
    assert list(body["data"]) == FIELDS_OF_AN_EXECUTION
    assert body["message"] == "Execution retrieved successfully"


def test_head_tells_the_headers_of_the_answer_without_the_body(client):
    path = detail_path(RECORDINGS[0].execution)

    head, get = client.head(path), client.get(path)

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_read_changes_nothing(client):
    path = detail_path(RECORDINGS[0].execution)

    assert client.get(path).content == client.get(path).content


def test_an_unknown_workflow_is_404_and_the_nearest_ones_are_named(client):
    known = RECORDINGS[0].execution

    response = client.get(f"/v1/workflows/{known['workflow_id']}x/executions/{known['run_id']}")

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "NOT_FOUND")
    assert error["message"] == f"There is no workflow '{known['workflow_id']}x'"
    assert error["suggestion"].startswith(f"Nearest workflows: {known['workflow_id']}")


def test_an_unknown_run_is_404_and_the_nearest_ones_are_named(client):
    known = RECORDINGS[0].execution

    response = client.get(f"{detail_path(known)}x")

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "NOT_FOUND")
    assert f"has no run '{known['run_id']}x'" in error["message"]
    assert error["suggestion"].startswith(f"Nearest runs of this workflow: {known['run_id']}")


def test_a_run_of_another_workflow_is_404_and_its_own_workflow_is_named(client):
    known = RECORDINGS[0].execution
    other = next(
        recording.execution
        for recording in RECORDINGS
        if recording.execution["workflow_id"] != known["workflow_id"]
    )

    response = client.get(f"/v1/workflows/{other['workflow_id']}/executions/{known['run_id']}")

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "NOT_FOUND")
    assert f"The run belongs to workflow {known['workflow_id']}." in error["suggestion"]


def test_a_percent_encoded_id_is_the_same_id(client):
    path = detail_path(RECORDINGS[0].execution)
    encoded = path.replace("_", "%5F")

    assert encoded != path
    assert client.get(encoded).content == client.get(path).content


def test_a_document_of_the_user_is_served_under_its_own_ids(start_server, tmp_path, client):
    edge_case_ids = {"workflow_id": "wf ä 1", "run_id": "lauf 😀%", "id": "half a pair: \ud83d"}
    execution = {**RECORDINGS[0].execution, **edge_case_ids}
    (tmp_path / "mine.json").write_text(json.dumps(execution))

    own = start_server("--fixtures", str(tmp_path))
    response = client.get(
        f"{own.url}/v1/workflows/{quote('wf ä 1')}/executions/{quote('lauf 😀%')}"
    )

    assert response.status_code == 200
    assert response.json()["data"] == execution
