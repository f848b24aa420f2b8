"""Scenarios: named worlds in which list, detail and definition agree."""

import pytest

from deadringer.contracts.rules import Context, validate_execution
from deadringer.mockserver.world.repository import row_of
from deadringer.mockserver.world.scenarios import ready_names
from tests.mockserver.world.scenario_worlds import (
    OWN,
    advance,
    detail,
    every_row,
    patiently,
    refused_lines,
    rows_of,
    workflows_of,
)


@pytest.mark.parametrize("name", ready_names())
def test_list_and_detail_agree_and_keep_the_contract_as_time_passes(serve_scenario, name):
    client = serve_scenario(name)
    for seconds in (10, 400):
        advance(client, seconds)
        for row in rows_of(client, "wf_abc123", page_size=3)["executions"]:
            run = detail(client, "wf_abc123", row["run_id"])
            assert validate_execution(run) == []
            assert (row["status"], row["completed_at"]) == (run["status"], run["ended_at"])


@pytest.mark.parametrize("name", ready_names())
def test_list_detail_and_definition_agree_for_every_workflow(serve_scenario, name):
    client = serve_scenario(name, runs_per_workflow=6)
    advance(client, 400)

    for workflow_id in workflows_of(client):
        definition = patiently(client, f"/v1/workflows/{workflow_id}")["workflow"]
        rows = every_row(client, workflow_id)
        assert len({row["run_id"] for row in rows}) == len(rows)
        for row in rows[:8]:
            run = patiently(client, f"/v1/workflows/{workflow_id}/executions/{row['run_id']}")
            assert validate_execution(run, Context(definition=definition)) == []
            assert row == row_of(run)


DOCUMENTED = {"workflow_id": "wf_abc123", "run_id": "run_x7k9m2"}


@pytest.mark.parametrize("at_s", [-60, 60])
def test_a_run_of_a_scenario_takes_the_place_of_a_recorded_one(serve_scenario, at_s):
    document = {"summary": "x", "runs": [{**DOCUMENTED, "at_s": at_s, "status": "failed"}]}
    client = serve_scenario()
    client.put("/__mock/scenario", json={"document": document})
    path = "/v1/workflows/wf_abc123/executions/run_x7k9m2"

    before = client.get(path).status_code
    advance(client, 7200)
    rows = [row for row in every_row(client, "wf_abc123") if row["run_id"] == "run_x7k9m2"]

    assert before == (200 if at_s < 0 else 404)
    assert [row["status"] for row in rows] == ["failed"]
    assert detail(client, *DOCUMENTED.values())["status"] == "failed"


def test_an_execution_of_a_scenario_takes_the_place_of_a_recorded_one(serve_scenario):
    client = serve_scenario()
    own = {**detail(client, *DOCUMENTED.values()), "id": "exec_own"}
    client.put("/__mock/scenario", json={"document": {"summary": "x", "executions": [own]}})

    rows = [row for row in every_row(client, "wf_abc123") if row["run_id"] == "run_x7k9m2"]

    assert len(rows) == 1
    assert detail(client, *DOCUMENTED.values())["id"] == "exec_own"


def test_a_workflow_that_is_defined_anew_has_no_recorded_runs(serve_scenario):
    other = [{**OWN["workflows"][0], "id": "wf_abc123"}]
    document = {"summary": "x", "workflows": other, "world": {"runs_per_workflow": 3}}
    client = serve_scenario()
    client.put("/__mock/scenario", json={"document": document})

    rows = every_row(client, "wf_abc123")
    context = Context(definition=other[0]["workflow"])

    assert len(rows) >= 3
    for row in rows:
        assert validate_execution(detail(client, "wf_abc123", row["run_id"]), context) == []


def test_ids_that_cannot_be_served_are_refused_line_by_line(serve_scenario):
    client = serve_scenario()
    recorded = detail(client, *DOCUMENTED.values())
    run = {"workflow_id": "wf_abc123", "at_s": 0}
    document = {
        "summary": "x",
        "workflows": [
            {**OWN["workflows"][0], "id": "a/b"},
            {**OWN["workflows"][0], "id": "wf_own"},
        ],
        "runs": [{**run, "run_id": one} for one in ("a/b", "run_404", "..", "run_twice")],
        "executions": [
            {**recorded, "run_id": "run_twice"},
            {**recorded, "run_id": "run_thrice"},
            {**recorded, "run_id": "run_thrice"},
            {**recorded, "run_id": "c/d"},
            {**recorded, "workflow_id": "wf_own", "run_id": "run_of_another"},
        ],
    }

    message = refused_lines(client, document)

    assert {line.split(": ")[0] for line in message} >= {
        *(
            "workflows.0.id",
            "runs.0.run_id",
            "runs.1.run_id",
            "runs.2.run_id",
            "executions.0.run_id",
        ),
        *("executions.2.run_id", "executions.3.run_id"),
    }
    assert not [line for line in message if line.startswith(("runs.3.", "executions.1."))]
    assert [line for line in message if "steps_are_actions_of_the_definition" in line]


@pytest.mark.parametrize("name", ready_names())
def test_the_same_seed_scenario_start_and_time_give_the_same_bytes(serve_scenario, name):
    first, second = serve_scenario(name), serve_scenario(name)
    for client in (first, second):
        advance(client, 333)
    path = f"/v1/workflows/{workflows_of(first)[0]}/executions?page_size=50"

    assert first.get(path).content == second.get(path).content
    assert first.get(path).content != serve_scenario(name, seed=2).get(path).content


def test_no_two_show_the_same_world(serve_scenario):
    path = "/v1/workflows/wf_abc123/executions"
    pages = {
        serve_scenario(name).get(path, params={"page_size": 40}).text for name in ready_names()
    }

    assert len(pages) == len(ready_names())


def test_the_number_of_runs_can_be_chosen_and_empty_leaves_the_scripted_ones(serve_scenario):
    many = serve_scenario("outage-and-recovery", runs_per_workflow=5000)
    none = serve_scenario("quiet-day", empty=True)

    assert rows_of(many, "wf_abc123")["pagination"]["total_count"] >= 5000
    assert rows_of(none, "wf_abc123")["pagination"]["total_count"] == 5
