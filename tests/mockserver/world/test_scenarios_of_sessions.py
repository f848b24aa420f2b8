"""Scenarios of a session: set, unset, restarted, and stored over a server restart."""

import json

import httpx

from deadringer.mockserver.world.scenarios import ready_names
from tests.mockserver.conftest import SettableClock
from tests.mockserver.world.scenario_worlds import OWN, advance, detail, rows_of, workflows_of

BALANCE = "/v1/credits/balance"


def test_a_scenario_is_listed_set_and_unset_for_a_session(serve_scenario):
    client, one = serve_scenario(), {"X-Mock-Session": "one"}

    listed = client.get("/__mock/scenarios").json()
    state = client.put("/__mock/scenario", json={"name": "quiet-day"}, headers=one).json()

    assert [item["name"] for item in listed["scenarios"]] == list(ready_names())
    assert (listed["scenario"], state["scenario"]) == (None, "quiet-day")
    assert len(client.get("/v1/workflows", headers=one).json()["data"]["items"]) == 2
    assert len(workflows_of(client)) > 10
    client.request("DELETE", "/__mock/scenario", headers=one)
    assert client.get("/__mock/scenario", headers=one).status_code == 404
    assert len(client.get("/v1/workflows", headers=one).json()["data"]["items"]) > 10


def test_a_document_of_ones_own_is_a_world(serve_scenario):
    client = serve_scenario()
    client.put("/__mock/clock", json={"now": "2027-05-01T00:00:00Z", "speed": 0})

    client.put("/__mock/scenario", json={"name": "mine", "document": OWN})
    first = rows_of(client, "wf_own")["executions"]
    advance(client, 150)
    second = rows_of(client, "wf_own")["executions"]
    advance(client, -140)
    third = rows_of(client, "wf_own")["executions"]

    assert workflows_of(client) == ["wf_own"]
    assert [row["run_id"] for row in first] == ["run_before"]
    assert [row["run_id"] for row in second] == ["run_later", "run_before"]
    assert second[0]["status"] == "failed"
    assert third == first
    assert client.get("/__mock/scenario").json()["passed_s"] == 10


def test_contract_faults_of_a_scenario_hold_for_their_time(serve_scenario):
    client = serve_scenario()
    client.put("/__mock/clock", json={"speed": 0})
    client.put("/__mock/scenario", json={"name": "mine", "document": OWN})

    durations = []
    for _ in range(3):
        durations.append(detail(client, "wf_own", "run_before")["duration_ms"])
        advance(client, 101)

    assert durations == [1000, 1, 1000]


def test_reset_begins_the_scenario_of_the_start_anew(serve_scenario):
    clock = SettableClock()
    client = serve_scenario("outage-and-recovery", clock)

    clock.advance(100)
    down = client.get(BALANCE).status_code
    client.put("/__mock/scenario", json={"name": "quiet-day"})
    state = client.post("/__mock/reset").json()

    assert down == 503
    assert state["scenario"] == "outage-and-recovery"
    assert client.get(BALANCE).status_code == 200
    clock.advance(100)
    assert client.get(BALANCE).status_code == 503


def test_a_chosen_scenario_and_its_start_outlive_a_kill(start_server, tmp_path):
    state, path = tmp_path / "state.sqlite", "/v1/workflows/wf_own/executions"
    first = start_server("--state", str(state))
    # A run whose workflow the next start lacks is not served, and does not stop the start.
    in_old = {"X-Mock-Session": "old"}
    started = httpx.post(f"{first.url}/__mock/workflows/wf_loop77/runs", headers=in_old).json()
    httpx.put(f"{first.url}/__mock/scenario", json={"name": "mine", "document": OWN})
    key = {"x-api-key": "trig_demo_key_0123456789abcdef"}
    before = httpx.get(first.url + path, headers=key).json()["data"]["executions"]
    first.process.kill()
    first.process.wait()

    second = start_server("--state", str(state), "--scenario", "quiet-day")

    assert httpx.get(f"{second.url}/__mock/state").json()["scenario"] == "mine"
    assert httpx.get(f"{second.url}/__mock/state", headers=in_old).json()["scenario"] == "quiet-day"
    assert httpx.get(second.url + started["path"], headers={**key, **in_old}).status_code == 404
    after = httpx.get(second.url + path, headers=key).json()["data"]["executions"]
    assert [row for row in after if row["run_id"] == "run_before"] == before


def test_a_file_of_ones_own_is_served_by_the_project_file_too(start_server, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(OWN), "utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.deadringer]\nscenario = "mine.json"\n', "utf-8")

    server = start_server(folder=tmp_path)

    assert httpx.get(f"{server.url}/__mock/state").json()["scenario"] == "mine"
