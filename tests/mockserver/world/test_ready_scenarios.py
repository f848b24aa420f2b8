"""The bundled scenarios: each matches its description."""

from deadringer.mockserver.world.scenarios import ready_names
from tests.mockserver.world.scenario_worlds import advance, detail, every_row, rows_of, workflows_of
from tests.project import ROOT

BALANCE = "/v1/credits/balance"


def test_the_six_promised_ones_are_there_and_told_in_the_documentation():
    names = {"quiet-day", "busy-day", "failing-enrichment", "outage-and-recovery",
             "rate-limited", "long-history"}  # fmt: skip
    text = (ROOT / "docs" / "guides" / "scenarios.md").read_text("utf-8")

    assert names <= set(ready_names())
    assert [name for name in names if f"`{name}`" not in text] == []


def test_a_quiet_day_is_quiet(serve_scenario):
    client = serve_scenario("quiet-day")

    before = [row for name in workflows_of(client) for row in rows_of(client, name)["executions"]]
    advance(client, 86_400)
    after = [row for name in workflows_of(client) for row in rows_of(client, name)["executions"]]

    assert len(workflows_of(client)) == 2
    assert 5 <= len(before) <= 10
    assert len(before) < len(after) <= 45
    assert {row["status"] for row in [*before, *after]} == {"completed"}


def test_a_busy_day_has_many_runs_under_way_and_new_ones_all_the_time(serve_scenario):
    client = serve_scenario("busy-day")
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


def test_failing_enrichment_fails_at_enriching_and_nowhere_else(serve_scenario):
    client = serve_scenario("failing-enrichment")
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


def test_an_outage_begins_ends_and_is_recovered_from(serve_scenario):
    client = serve_scenario("outage-and-recovery")
    seen = []
    for at_s in (0, 75, 100, 170, 200, 310):
        client.put("/__mock/clock", json={"now": "2026-03-27T10:15:00Z", "speed": 0})
        advance(client, at_s)
        responses = [client.get(BALANCE).status_code for _ in range(20)]
        faults = client.get("/__mock/journal?limit=1").json()["entries"][0]["faults"]
        seen.append((round(responses.count(503) / 20, 1), "latency" in faults))

    assert [share for share, _slow in seen[:4]] == [0, 0, 1, 1]
    assert 0 < seen[4][0] < 1
    assert seen[5] == (0, False)
    assert [slow for _share, slow in seen[:2]] == [False, True]


def test_rate_limited_refuses_in_bursts(serve_scenario):
    client = serve_scenario("rate-limited")

    responses = [client.get(BALANCE) for _ in range(24)]

    refused = [response for response in responses if response.status_code == 429]
    assert len(refused) == 8
    assert {response.status_code for response in responses} == {200, 429}
    assert {response.headers["Retry-After"] for response in refused} == {"2"}


def test_a_long_history_has_thousands_of_pages_and_runs_of_every_length(serve_scenario):
    client = serve_scenario("long-history")

    pages = rows_of(client, "wf_abc123", page_size=20)["pagination"]["total_pages"]
    last = rows_of(client, "wf_abc123", page=pages, page_size=20)["executions"]

    assert pages >= 2000
    assert last[0]["started_at"] < "2025-05"
    assert detail(client, "wf_abc123", "run_shortest")["duration_ms"] == 1
    assert detail(client, "wf_abc123", "run_six_hours")["duration_ms"] == 21_600_000
