"""Numbers in bodies of the control API: a whole float is an integer where one is wanted."""

import json

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.api.validation import read_body
from deadringer.mockserver.app import build_app

BALANCE = "/v1/credits/balance"


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def test_whole_floats_are_integers_wherever_an_integer_is_wanted(mock):
    runs = "/__mock/workflows/wf_abc123/runs"
    run = mock.post(runs, json={"duration_ms": 500.0, "drive": "manual"})
    unplanned = mock.post(runs, json={"steps": 4000.0})
    moved = mock.post(
        f"/__mock/workflows/wf_abc123/executions/{run.json()['run_id']}/advance",
        json={"transitions": 1.0},
    )
    refused = mock.post("/__mock/faults", json={"kind": "status", "status": 703.0})
    added = mock.post("/__mock/faults", json={"kind": "status", "status": 503.0, "count": 1.0})
    responses = [mock.get(BALANCE), mock.get(BALANCE)]

    assert (run.status_code, moved.status_code, added.status_code) == (201, 200, 201)
    assert [response.status_code for response in responses] == [503, 200]
    assert json.dumps(added.json()["status"]) == "503"
    assert refused.json()["error"]["details"]["errors"][0].startswith(
        "status: expected a number not above 599, got 703; "
    )
    assert "4000" in unplanned.text
    assert "4000.0" not in unplanned.text
    assert unplanned.json()["error"]["message"].endswith("steps=4000 is not possible")
    assert unplanned.json()["error"]["suggestion"].startswith("Leave out `steps`, or pass")
    counts = {"status": 503.0, "exactly": 1.0}
    assert mock.post("/__mock/verify", json=counts).json()["verified"] is True


def test_floats_without_an_integer_in_the_schema_stay_floats(mock):
    document = {**load_recordings()[0].execution, "duration_ms": 5.0, "extra": [1.0]}

    put = mock.put("/__mock/workflows/wf_abc123/executions/run_x?force=true", json=document)
    body = mock.get("/v1/workflows/wf_abc123/executions/run_x").text

    assert put.status_code == 200
    assert '"duration_ms":5.0' in body
    assert '"extra":[1.0]' in body


@pytest.mark.parametrize("transitions", [1.5, True, "1", 0, 0.0, 1e300])
def test_what_is_no_whole_number_is_refused(mock, transitions):
    run = mock.post("/__mock/workflows/wf_abc123/runs", json={"drive": "manual"})
    run_id = run.json()["run_id"]
    path = f"/__mock/workflows/wf_abc123/executions/{run_id}/advance"

    assert mock.post(path, json={"transitions": transitions}).status_code == 400
    assert mock.get(BALANCE).status_code == 200


def test_whole_floats_of_test_data_are_integers():
    text = '{"overrides": {"likes": 240.0, "weight": 2.0}}'
    request = Request(EnvironBuilder(method="POST", data=text).get_environ())

    assert repr(read_body(request)) == "{'overrides': {'likes': 240, 'weight': 2.0}}"
