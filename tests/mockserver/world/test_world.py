"""The seeded world: a function of seed and clock, the same at all endpoints."""

import json

import pytest

from deadringer.contracts.rules import validate_execution
from deadringer.fixtures import World
from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from tests.mockserver.conftest import KNOWN, SettableClock


def rows_of(client, workflow_id, **query):
    response = client.get(f"/v1/workflows/{workflow_id}/executions", params=query)
    return response.json()["data"]


@pytest.fixture
def world_client(over_http, clock):
    return over_http(build_app(Settings(rate_limit="off"), clock=clock))


def test_same_seed_and_clock_give_the_same_bytes(over_http, clock, world_client):
    other = over_http(build_app(Settings(rate_limit="off"), clock=SettableClock()))
    path = "/v1/workflows/wf_follow8/executions"

    assert world_client.get(path).content == other.get(path).content


def test_another_seed_gives_other_runs(over_http, clock, world_client):
    other = over_http(build_app(Settings(rate_limit="off", seed=2), clock=clock))

    first = rows_of(world_client, "wf_mood01")["executions"]
    assert first != rows_of(other, "wf_mood01")["executions"]


def test_list_detail_and_workflow_agree_for_every_workflow(world_client):
    workflows = world_client.get("/v1/workflows", params={"limit": 100}).json()["data"]["items"]

    assert len(workflows) >= 12
    assert {one["status"] for one in workflows} == {"DRAFT", "PUBLISHED"}
    assert {one["enabled"] for one in workflows} == {True, False}
    for workflow in workflows:
        data = rows_of(world_client, workflow["id"], page_size=5)
        assert data["pagination"]["total_count"] == workflow["execution_count"] >= 240
        for row in data["executions"]:
            path = f"/v1/workflows/{workflow['id']}/executions/{row['run_id']}"
            detail = world_client.get(path).json()["data"]
            assert validate_execution(detail) == []
            assert (row["status"], row["completed_at"]) == (detail["status"], detail["ended_at"])


def test_a_saved_run_of_the_world_takes_its_place(over_http, clock, world_client, tmp_path):
    before = rows_of(world_client, "wf_loop77", page_size=50)
    saved = next(row for row in before["executions"] if row["status"] == "failed")
    path = f"/v1/workflows/wf_loop77/executions/{saved['run_id']}"
    execution = {**world_client.get(path).json()["data"], "event_name": "replaced"}
    (tmp_path / "saved.json").write_text(json.dumps(execution), "utf-8")
    settings = Settings(rate_limit="off", fixtures=(tmp_path,))
    served = over_http(build_app(settings, clock=clock))

    assert served.get(path).json()["data"] == execution
    assert rows_of(served, "wf_loop77", page_size=50) == before


def test_pages_hold_every_run_once_newest_first(world_client):
    total = rows_of(world_client, "wf_abc123")["pagination"]["total_count"]
    rows = [
        row
        for page in range(1, -(-total // 37) + 1)
        for row in rows_of(world_client, "wf_abc123", page=page, page_size=37)["executions"]
    ]

    ids = [row["run_id"] for row in rows]
    assert len(ids) == len(set(ids)) == total
    assert "run_x7k9m2" in ids
    starts = [row["started_at"] for row in rows]
    assert starts == sorted(starts, reverse=True)


def test_a_run_is_under_way_and_ends_as_time_passes(world_client, clock):
    row = rows_of(world_client, "wf_follow8")["executions"][0]
    path = f"/v1/workflows/wf_follow8/executions/{row['run_id']}"
    assert row["status"] == "running"

    clock.advance(1800)

    assert world_client.get(path).json()["data"]["status"] != "running"


def test_the_last_page_of_a_million_runs_is_there(over_http, clock):
    app = build_app(Settings(rate_limit="off", runs_per_workflow=1_000_000), clock=clock)
    client = over_http(app)
    pages = rows_of(client, "wf_abc123", page_size=100)["pagination"]["total_pages"]

    last = rows_of(client, "wf_abc123", page=pages, page_size=100)["executions"]

    assert pages >= 10_000
    assert 1 <= len(last) <= 100


def test_empty_serves_recorded_runs_only(over_http, clock):
    client = over_http(build_app(Settings(empty=True), clock=clock))

    assert rows_of(client, "wf_mood01")["pagination"]["total_count"] < 10


def test_an_id_of_the_world_leads_back_to_its_run():
    world = World(3, 50)
    now_ms = 1_774_606_500_000

    for workflow_id in world.workflows:
        newest = world.window(workflow_id, now_ms).newest
        run_id = world.run_id(workflow_id, newest)
        assert world.number_of(workflow_id, run_id, now_ms) == newest
        assert world.number_of(workflow_id, world.run_id(workflow_id, newest + 1), now_ms) is None


def test_a_list_may_be_read_while_runs_are_started_and_changed(over_http, clock):
    app = build_app(Settings(rate_limit="off"), clock=clock)
    client, service = over_http(app), app.extensions[EXTENSION]
    model = client.get(KNOWN).json()["data"]

    def put(run_id):
        path = f"/__mock/workflows/wf_abc123/executions/{run_id}"
        assert client.put(path, json={**model, "run_id": run_id}).is_success

    for run_id in ("run_before0", "run_before1"):
        client.post("/v1/workflows/wf_abc123/test")
        put(run_id)
    snapshot = service.snapshot()

    listing = snapshot.repository.listing(snapshot.session, "wf_abc123", snapshot.now_ms)
    held = listing.page(0, 5)
    first = next(held)
    client.post("/v1/workflows/wf_abc123/test")
    rest = [next(held), next(held)]
    put("run_during")
    rest += held

    assert {"run_before0", "run_before1"} <= {one.run_id for one in [first, *rest]}
