"""Scenarios: named worlds on a timeline, each what its name says."""

import json
import re

import httpx
import pytest

from contracts.rules import Context, judge_execution
from mockserver import Settings
from mockserver.app import build_app
from mockserver.control_document import control_specification
from mockserver.family import row_of
from mockserver.scenarios import ScenarioError, load_scenario, ready_names
from tests.project import ROOT
from tests.server.conftest import SettableClock

BALANCE = "/v1/credits/balance"
OWN = {
    "summary": "One workflow of its own.",
    "world": {"workflows": [], "recorded": False, "runs_per_workflow": 0},
    "workflows": [
        {
            "id": "wf_own",
            "name": "Own",
            "workflow": {
                "trigger": {"kind": "workflows/new-post", "inputs": {}},
                "actions": [{"id": "say", "kind": "slack_send_channel_message", "name": "Say"}],
                "edges": [{"from": "$source", "to": "say"}],
            },
        }
    ],
    "runs": [
        {"workflow_id": "wf_own", "run_id": "run_before", "at_s": -60, "duration_ms": 1000},
        {"workflow_id": "wf_own", "run_id": "run_later", "at_s": 60, "status": "failed"},
    ],
    "contract_faults": [{"name": "duration-in-seconds", "from_s": 100, "until_s": 200}],
}


@pytest.fixture
def serve(over_http):
    def start(scenario=None, clock=None, **settings):
        settings = Settings(rate_limit="off", scenario=scenario, **settings)
        return over_http(build_app(settings, clock=clock or SettableClock()))

    return start


def rows_of(client, workflow_id, **query):
    answer = client.get(f"/v1/workflows/{workflow_id}/executions", params=query)
    return answer.json()["data"]


def workflows_of(client):
    items = client.get("/v1/workflows", params={"limit": 100}).json()["data"]["items"]
    return [one["id"] for one in items]


def detail(client, workflow_id, run_id):
    return client.get(f"/v1/workflows/{workflow_id}/executions/{run_id}").json()["data"]


def advance(client, seconds):
    client.post("/__mock/clock/advance", json={"seconds": seconds})


def test_the_six_promised_ones_are_there_and_told_in_the_documentation():
    names = {"quiet-day", "busy-day", "failing-enrichment", "outage-and-recovery",
             "rate-limited", "long-history"}  # fmt: skip
    text = (ROOT / "docs" / "scenarios.md").read_text("utf-8")

    assert names <= set(ready_names())
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", ready_names())
def test_list_and_detail_agree_and_keep_the_contract_as_time_passes(serve, name):
    client = serve(name)
    for seconds in (10, 400):
        advance(client, seconds)
        for row in rows_of(client, "wf_abc123", page_size=3)["executions"]:
            run = detail(client, "wf_abc123", row["run_id"])
            assert judge_execution(run) == []
            assert (row["status"], row["completed_at"]) == (run["status"], run["ended_at"])


@pytest.mark.parametrize("name", ready_names())
def test_list_detail_and_definition_agree_for_every_workflow(serve, name):
    client = serve(name, runs_per_workflow=6)
    advance(client, 400)

    for workflow_id in workflows_of(client):
        definition = patiently(client, f"/v1/workflows/{workflow_id}")["workflow"]
        rows = every_row(client, workflow_id)
        assert len({row["run_id"] for row in rows}) == len(rows)
        for row in rows[:8]:
            run = patiently(client, f"/v1/workflows/{workflow_id}/executions/{row['run_id']}")
            assert judge_execution(run, Context(definition=definition)) == []
            assert row == row_of(run)


def patiently(client, path):
    """Give what is read once no fault strikes."""
    while (answer := client.get(path)).status_code in {429, 503}:
        pass
    return answer.json()["data"]


def every_row(client, workflow_id):
    rows, page = [], 1
    path = f"/v1/workflows/{workflow_id}/executions?page_size=100&page="
    while found := patiently(client, f"{path}{page}")["executions"]:
        rows, page = [*rows, *found], page + 1
    return rows


DOCUMENTED = {"workflow_id": "wf_abc123", "run_id": "run_x7k9m2"}


@pytest.mark.parametrize("at_s", [-60, 60])
def test_a_run_of_a_scenario_takes_the_place_of_a_recorded_one(serve, at_s):
    document = {"summary": "x", "runs": [{**DOCUMENTED, "at_s": at_s, "status": "failed"}]}
    client = serve()
    client.put("/__mock/scenario", json={"document": document})
    path = "/v1/workflows/wf_abc123/executions/run_x7k9m2"

    before = client.get(path).status_code
    advance(client, 7200)
    rows = [row for row in every_row(client, "wf_abc123") if row["run_id"] == "run_x7k9m2"]

    assert before == (200 if at_s < 0 else 404)
    assert [row["status"] for row in rows] == ["failed"]
    assert detail(client, *DOCUMENTED.values())["status"] == "failed"


def test_an_execution_of_a_scenario_takes_the_place_of_a_recorded_one(serve):
    client = serve()
    own = {**detail(client, *DOCUMENTED.values()), "id": "exec_own"}
    client.put("/__mock/scenario", json={"document": {"summary": "x", "executions": [own]}})

    rows = [row for row in every_row(client, "wf_abc123") if row["run_id"] == "run_x7k9m2"]

    assert len(rows) == 1
    assert detail(client, *DOCUMENTED.values())["id"] == "exec_own"


def test_a_workflow_that_is_defined_anew_has_no_recorded_runs(serve):
    other = [{**OWN["workflows"][0], "id": "wf_abc123"}]
    document = {"summary": "x", "workflows": other, "world": {"runs_per_workflow": 3}}
    client = serve()
    client.put("/__mock/scenario", json={"document": document})

    rows = every_row(client, "wf_abc123")
    context = Context(definition=other[0]["workflow"])

    assert len(rows) >= 3
    for row in rows:
        assert judge_execution(detail(client, "wf_abc123", row["run_id"]), context) == []


def test_ids_that_cannot_be_served_are_refused_line_by_line(serve):
    client = serve()
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

    told = refused_lines(client, document)
    assert [line.split(": ")[0] for line in told] == ["workflows.0.id"]
    assert "a/b" in told[0]
    del document["workflows"][0]
    told = refused_lines(client, document)

    assert {line.split(": ")[0] for line in told} >= {
        *("runs.0.run_id", "runs.1.run_id", "runs.2.run_id", "executions.0.run_id"),
        *("executions.2.run_id", "executions.3.run_id"),
    }
    assert not [line for line in told if line.startswith(("runs.3.", "executions.1."))]
    assert [line for line in told if "steps_are_actions_of_the_definition" in line]


def refused_lines(client, document):
    answer = client.put("/__mock/scenario", json={"document": document})
    assert answer.status_code == 400
    return answer.json()["error"]["details"]["errors"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Latency of a scenario is told by its fault, and need not be waited for."""
    monkeypatch.setattr("mockserver.transport_faults.pause", lambda _seconds: None)


@pytest.mark.parametrize("name", ready_names())
def test_the_same_seed_scenario_start_and_time_give_the_same_bytes(serve, name):
    first, second = serve(name), serve(name)
    for client in (first, second):
        advance(client, 333)
    path = f"/v1/workflows/{workflows_of(first)[0]}/executions?page_size=50"

    assert first.get(path).content == second.get(path).content
    assert first.get(path).content != serve(name, seed=2).get(path).content


def test_no_two_show_the_same_world(serve):
    path = "/v1/workflows/wf_abc123/executions"
    pages = {serve(name).get(path, params={"page_size": 40}).text for name in ready_names()}

    assert len(pages) == len(ready_names())


def test_a_quiet_day_is_quiet(serve):
    client = serve("quiet-day")

    before = [row for name in workflows_of(client) for row in rows_of(client, name)["executions"]]
    advance(client, 86_400)
    after = [row for name in workflows_of(client) for row in rows_of(client, name)["executions"]]

    assert len(workflows_of(client)) == 2
    assert 5 <= len(before) <= 10
    assert len(before) < len(after) <= 45
    assert {row["status"] for row in [*before, *after]} == {"completed"}


def test_a_busy_day_has_many_runs_under_way_and_new_ones_all_the_time(serve):
    client = serve("busy-day")
    advance(client, 300)

    first = rows_of(client, "wf_follow8", page_size=50)
    advance(client, 20)
    second = rows_of(client, "wf_follow8", page_size=50)

    running = [row for row in first["executions"] if row["status"] == "running"]
    assert len(running) >= 10
    assert first["pagination"]["total_count"] >= 1000
    assert second["executions"][0] != first["executions"][0]
    assert (
        min(rows_of(client, one)["pagination"]["total_count"] for one in workflows_of(client)) > 900
    )


def test_failing_enrichment_fails_at_enriching_and_nowhere_else(serve):
    client = serve("failing-enrichment")
    advance(client, 3600)

    for workflow_id in ("wf_def456", "wf_loop77"):
        started = client.post(f"/v1/workflows/{workflow_id}/test").json()["data"]["test_run_id"]
        advance(client, 86_400)
        rows = [one for one in every_row(client, workflow_id) if one["status"] != "running"]
        assert started in {row["run_id"] for row in rows}
        assert {row["status"] for row in rows} == {"failed"}
        for row in rows:
            steps = detail(client, workflow_id, row["run_id"])["steps"]
            assert [one["step_id"] for one in steps if one["status"] == "failed"] == ["enrich"]
    for workflow_id in ("wf_abc123", "wf_mood01"):
        statuses = {row["status"] for row in rows_of(client, workflow_id)["executions"]}
        assert statuses <= {"completed", "running"}


def test_an_outage_begins_ends_and_is_recovered_from(serve):
    client = serve("outage-and-recovery")
    seen = []
    for at_s in (0, 75, 100, 170, 200, 310):
        client.put("/__mock/clock", json={"now": "2026-03-27T10:15:00Z", "speed": 0})
        advance(client, at_s)
        answers = [client.get(BALANCE).status_code for _ in range(20)]
        faults = client.get("/__mock/journal?limit=1").json()["entries"][0]["faults"]
        seen.append((round(answers.count(503) / 20, 1), "latency" in faults))

    assert [share for share, _slow in seen[:4]] == [0, 0, 1, 1]
    assert 0 < seen[4][0] < 1
    assert seen[5] == (0, False)
    assert [slow for _share, slow in seen[:2]] == [False, True]


def test_rate_limited_refuses_in_bursts(serve):
    client = serve("rate-limited")

    answers = [client.get(BALANCE) for _ in range(24)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 8
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers["Retry-After"] for answer in refused} == {"2"}


def test_a_long_history_has_thousands_of_pages_and_runs_of_every_length(serve):
    client = serve("long-history")

    pages = rows_of(client, "wf_abc123", page_size=20)["pagination"]["total_pages"]
    last = rows_of(client, "wf_abc123", page=pages, page_size=20)["executions"]

    assert pages >= 2000
    assert last[0]["started_at"] < "2025-05"
    assert detail(client, "wf_abc123", "run_shortest")["duration_ms"] == 1
    assert detail(client, "wf_abc123", "run_six_hours")["duration_ms"] == 21_600_000


def test_a_scenario_is_listed_set_and_unset_for_a_session(serve):
    client, one = serve(), {"X-Mock-Session": "one"}

    listed = client.get("/__mock/scenarios").json()
    state = client.put("/__mock/scenario", json={"name": "quiet-day"}, headers=one).json()

    assert [item["name"] for item in listed["scenarios"]] == list(ready_names())
    assert (listed["scenario"], state["scenario"]) == (None, "quiet-day")
    assert len(client.get("/v1/workflows", headers=one).json()["data"]["items"]) == 2
    assert len(workflows_of(client)) > 10
    client.request("DELETE", "/__mock/scenario", headers=one)
    assert client.get("/__mock/scenario", headers=one).status_code == 404
    assert len(client.get("/v1/workflows", headers=one).json()["data"]["items"]) > 10


def test_a_document_of_ones_own_is_a_world(serve):
    client = serve()
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


def test_contract_faults_of_a_scenario_hold_for_their_time(serve):
    client = serve()
    client.put("/__mock/clock", json={"speed": 0})
    client.put("/__mock/scenario", json={"name": "mine", "document": OWN})

    durations = []
    for _ in range(3):
        durations.append(detail(client, "wf_own", "run_before")["duration_ms"])
        advance(client, 101)

    assert durations == [1000, 1, 1000]


def test_a_bad_document_is_refused_with_a_line_for_each_reason(serve):
    client = serve()
    document = {**OWN, "runs": [{"workflow_id": "wf_nowhere", "at_s": 1}], "nonsense": 1}

    schema = client.put("/__mock/scenario", json={"document": document}).json()
    document.pop("nonsense")
    document["contract_faults"] = [{"name": "x", "from_s": 5, "until_s": 1}]
    meaning = client.put("/__mock/scenario", json={"document": document}).json()
    unknown = client.put("/__mock/scenario", json={"name": "../../etc/passwd"}).json()

    (line,) = schema["error"]["details"]["errors"]
    assert line.startswith("nonsense: is unknown; known here: chaos")
    places = [line.split(":")[0] for line in meaning["error"]["details"]["errors"]]
    assert places == ["runs.0.workflow_id", "contract_faults.0.until_s", "contract_faults.0.name"]
    assert "quiet-day" in unknown["error"]["suggestion"]


def test_a_bad_file_stops_the_start_with_file_line_and_column(refused_start, tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "summary: Bad\n"
        "runs:\n"
        "  - { workflow_id: wf_abc123, at_s: soon }\n"
        "  - workflow_id: wf_abc123\n"
        "    at_s: 1\n"
        "    fials_at: enrich\n"
        "faults:\n"
        "  - { kind: lag }\n",
        "utf-8",
    )

    done = refused_start(DEADRINGER_SCENARIO="bad.yaml")

    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.removeprefix("deadringer: ").split(": ")[0] for line in lines] == [
        "bad.yaml:3:31", "bad.yaml:6:5", "bad.yaml:8:7",
    ]  # fmt: skip
    assert "known here: action_mocks" in lines[1]
    assert "use one of: latency, status" in lines[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("summary: [\n", "bad.yaml:2:1"),
        ("summary: a\nsummary: b\n", "bad.yaml:2:1: 'summary' stands here twice"),
        ("&a [*a]\n", "an alias stands inside"),
        ("", "bad.yaml:1:1"),
        ("summary: x\nruns:\n  - {workflow_id: wf_abc123, at_s: 1, fails_at: nowhere}\n",
         "bad.yaml:3:5: runs/0: no run of workflow wf_abc123 fails at step 'nowhere'"),
        ("summary: x\nexecutions:\n  - {run_id: run_x}\n", "bad.yaml:3:5: executions/0"),
        ("summary: x\nworld: {workflows: [wf_no]}\n", "bad.yaml:2:21: world/workflows/0"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_told_where_it_is(tmp_path, text, told):
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(path), 1)

    assert told in str(refused.value)


def test_an_unknown_name_is_refused_and_the_ready_ones_named():
    with pytest.raises(ScenarioError) as refused:
        load_scenario("calm-day", 1)

    assert [name for name in ready_names() if name not in str(refused.value)] == []


def test_the_documented_file_can_be_served_and_every_member_is_documented(tmp_path):
    text = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    path = tmp_path / "my-world.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1], "utf-8")

    assert load_scenario(str(path), 1).name == "my-world"
    schemas = control_specification()["components"]["schemas"]
    members = {
        *schemas["Scenario"]["properties"],
        *schemas["Scenario"]["properties"]["world"]["properties"],
        *schemas["ScenarioRun"]["properties"],
    }
    assert [name for name in sorted(members) if f"`{name}`" not in text] == []


def test_reset_begins_the_scenario_of_the_start_anew(serve):
    clock = SettableClock()
    client = serve("outage-and-recovery", clock)

    clock.advance(100)
    down = client.get(BALANCE).status_code
    client.put("/__mock/scenario", json={"name": "quiet-day"})
    state = client.post("/__mock/reset").json()

    assert down == 503
    assert state["scenario"] == "outage-and-recovery"
    assert client.get(BALANCE).status_code == 200
    clock.advance(100)
    assert client.get(BALANCE).status_code == 503


def test_the_number_of_runs_can_be_chosen_and_empty_leaves_the_scripted_ones(serve):
    many = serve("outage-and-recovery", runs_per_workflow=5000)
    none = serve("quiet-day", empty=True)

    assert rows_of(many, "wf_abc123")["pagination"]["total_count"] >= 5000
    assert rows_of(none, "wf_abc123")["pagination"]["total_count"] == 5


def test_a_chosen_scenario_and_its_start_outlive_a_kill(start_server, tmp_path):
    state, path = tmp_path / "state.sqlite", "/v1/workflows/wf_own/executions"
    first = start_server("--state", str(state))
    # A run that the next start has no workflow for is not served, and stops nothing.
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
