"""The page of a run warns before saving if the run's id is already used."""

import json
import re

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import KNOWN


def taken(mock, api_path):
    """Return the page's warning about a run's id, "" for none."""
    place = api_path.replace("/v1/workflows/", "/__mock/ui/runs/").replace("/executions/", "/")
    return mock.get(f"{place}/data").json()["taken"]


def newest(mock):
    """Return the path of the newest finished run of the world."""
    path = "/v1/workflows/wf_loop77/executions"
    rows = mock.get(path).json()["data"]["executions"]
    return f"{path}/{next(row['run_id'] for row in rows if row['status'] == 'completed')}"


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def test_a_run_of_the_world_alone_is_in_nobodys_way(mock):
    assert taken(mock, newest(mock)) == ""


def test_a_recorded_run_keeps_a_mock_with_another_from_starting(mock):
    assert re.search(r"deadringer's own file \w+\.json\..*not start", taken(mock, KNOWN))


def test_a_changed_run_would_replace_another(mock):
    path = newest(mock)
    patched = mock.patch("/__mock" + path[3:], json={"event_name": "changed"})

    assert patched.status_code == 200
    assert "differs from this one" in taken(mock, path)


def test_a_file_of_ones_own_is_named(over_http, clock, mock, tmp_path):
    execution = {**mock.get(KNOWN).json()["data"], "run_id": "run_mine"}
    (tmp_path / "mine.json").write_text(json.dumps(execution), "utf-8")
    served = over_http(build_app(Settings(fixtures=(tmp_path,)), clock=clock))

    message = taken(served, KNOWN.rsplit("/", 1)[0] + "/run_mine")
    assert "the served file mine.json" in message
    assert str(tmp_path) not in message


def test_a_run_of_a_scenario_goes_before_a_file(over_http, clock):
    mock = over_http(build_app(Settings(scenario="failing-enrichment"), clock=clock))
    listed = "/v1/workflows/wf_def456/executions"
    rows = mock.get(listed).json()["data"]["executions"]
    message = [taken(mock, f"{listed}/{row['run_id']}") for row in rows]

    assert any("used by the scenario" in one for one in message)


def test_a_run_of_a_reserved_workflow_would_take_its_place(mock):
    row = mock.get("/v1/workflows/wf_failed/executions").json()["data"]["executions"][0]

    message = taken(mock, f"/v1/workflows/wf_failed/executions/{row['run_id']}")

    assert "wf_failed is reserved" in message
    assert "scenario" not in message


def test_a_changed_run_of_a_scenario_is_taken_by_the_scenario(mock):
    mock.put("/__mock/scenario", json={"name": "failing-enrichment"})
    listed = mock.get("/v1/workflows").json()["data"]["items"]
    path = next(
        f"/v1/workflows/{one['id']}/executions"
        for one in listed
        if mock.get(f"/v1/workflows/{one['id']}/executions").json()["data"]["executions"]
    )
    row = mock.get(path).json()["data"]["executions"][-1]
    api_path = f"{path}/{row['run_id']}"
    before = taken(mock, api_path)
    mock.patch(api_path.replace("/v1", "/__mock"), json={"event_name": "workflows/engagement"})

    assert "used by the scenario" in before
    assert taken(mock, api_path) == before
