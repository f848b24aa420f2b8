"""One run of a scenario by its name: started now, or shown under the requested ids."""

import pytest

from deadringer.contracts.rules import validate_execution
from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from tests.mockserver.conftest import DEMO

DOCUMENT = {
    "summary": "Two runs with names.",
    "runs": [
        {"workflow_id": "wf_abc123", "run_id": "run_brief", "at_s": 900, "duration_ms": 60000},
        {"workflow_id": "wf_abc123", "run_id": "run_lost", "at_s": 900, "fails_at": "slack-1"},
        {"workflow_id": "wf_loop77", "at_s": 900, "duration_ms": 5000, "status": "failed"},
    ],
}


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(rate_limit="off"), clock=clock))


def enter(mock):
    response = mock.put("/__mock/scenario", json={"name": "mine", "document": DOCUMENT})
    assert response.status_code == 200


def start(mock, workflow_id="wf_abc123", **body):
    return mock.post(f"/__mock/workflows/{workflow_id}/runs", json=body)


def ended(mock, started):
    """Return a started run as it is after a day."""
    mock.post("/__mock/clock/advance", json={"seconds": 86_400})
    run = mock.get(started.json()["path"]).json()["data"]
    assert validate_execution(run) == []
    return run


def failed_steps(run):
    return [one["step_id"] for one in run["steps"] if one["status"] == "failed"]


def errors_of(response):
    assert response.status_code == 400
    return response.json()["error"]["details"]["errors"], response.json()["error"]["suggestion"]


def test_a_run_of_a_ready_scenario_starts_now_and_ends_as_it_says(mock):
    started = start(mock, "wf_def456", scenario="failing-enrichment", run="3")

    now = mock.get("/__mock/clock").json()["now"]
    assert mock.get(started.json()["path"]).json()["data"]["started_at"] == now
    assert failed_steps(ended(mock, started)) == ["enrich"]
    assert mock.get("/__mock/state").json()["scenario"] is None


def test_a_run_of_the_sessions_own_scenario_is_called_by_its_id_or_place(mock):
    enter(mock)

    by_id = ended(mock, start(mock, run="run_lost"))
    by_place = ended(mock, start(mock, "wf_loop77", scenario="mine", run="3"))

    assert failed_steps(by_id) == ["slack-1"]
    assert (by_place["status"], by_place["duration_ms"]) == ("failed", 5000)


def test_the_first_run_of_the_workflow_is_meant_if_none_is_named(mock):
    enter(mock)

    assert ended(mock, start(mock, scenario="mine"))["duration_ms"] == 60_000


def test_what_is_sent_goes_before_what_the_scenario_says(mock):
    enter(mock)

    run = ended(mock, start(mock, run="run_lost", status="completed", duration_ms=7000))

    assert (run["status"], run["duration_ms"]) == ("completed", 7000)


@pytest.mark.parametrize("drive", ["immediate", "manual", "read"])
def test_it_can_be_driven_as_any_other(mock, drive):
    started = start(mock, "wf_def456", scenario="failing-enrichment", drive=drive)

    assert started.json()["drive"] == drive
    status = mock.get(started.json()["path"]).json()["data"]["status"]
    assert status == ("failed" if drive == "immediate" else "running")


def test_names_that_are_not_there_are_refused_and_those_that_are_named(mock):
    enter(mock)

    (line,), known = errors_of(start(mock, scenario="nowhere"))
    assert line.startswith("scenario: ")
    assert "quiet-day" in known
    assert "mine" in known

    (line,), known = errors_of(start(mock, run="run_x"))
    assert line.startswith("run: ")
    assert "run_lost of wf_abc123" in known

    (line,), known = errors_of(start(mock, "wf_mood01", scenario="mine"))
    assert "3 of wf_loop77" in known

    mock.delete("/__mock/scenario")
    (line,), known = errors_of(start(mock, run="1"))
    assert line.startswith("scenario: ")


def test_any_run_can_be_told_where_it_fails(mock):
    assert failed_steps(ended(mock, start(mock, fails_at="slack-1"))) == ["slack-1"]

    refused = start(mock, fails_at="nowhere")
    assert refused.status_code == 400
    assert "fails at step 'nowhere'" in refused.json()["error"]["message"]


def test_it_outlives_a_restart(tmp_path, clock):
    settings = Settings(rate_limit="off", state=tmp_path / "state.sqlite")
    first = build_app(settings, clock=clock).test_client()
    body = {"scenario": "failing-enrichment", "drive": "immediate"}
    path = first.post("/__mock/workflows/wf_def456/runs", json=body).json["path"]
    first.application.extensions[EXTENSION].close()

    again = build_app(settings, clock=clock).test_client()

    assert failed_steps(again.get(path, headers=DEMO).json["data"]) == ["enrich"]


RUN_ANY = "/v1/workflows/wf_mood01/executions/run_any"


def example(mock, name):
    response = mock.get(RUN_ANY, headers={"Prefer": f"example={name}"})
    assert response.status_code == 200, response.text
    assert response.headers["Preference-Applied"] == f"example={name}"
    run = response.json()["data"]
    assert (run["run_id"], run["workflow_id"]) == ("run_any", "wf_mood01")
    assert validate_execution(run) == []
    return run


def test_an_example_may_be_a_run_of_a_scenario_in_its_end(mock):
    enter(mock)

    assert failed_steps(example(mock, "failing-enrichment/3")) == ["enrich"]
    assert example(mock, "long-history/run_weekly")["duration_ms"] == 10_800_000
    assert example(mock, "mine/run_brief")["duration_ms"] == 60_000
    assert failed_steps(example(mock, "mine/run_lost")) == ["slack-1"]
    now = mock.get("/__mock/clock").json()["now"]
    assert example(mock, "long-history/run_six_hours")["ended_at"] <= now


def test_the_example_of_a_scenario_is_the_first_run_that_fails_if_one_does(mock):
    enter(mock)

    assert example(mock, "mine") == example(mock, "mine/run_lost")
    assert failed_steps(example(mock, "failing-enrichment")) == ["enrich"]
    assert example(mock, "outage-and-recovery")["status"] == "failed"
    assert example(mock, "quiet-day") == example(mock, "quiet-day/1")


def test_the_query_form_names_runs_of_scenarios_too(mock):
    response = mock.get(RUN_ANY, params={"__example": "quiet-day/3"})

    assert response.json()["data"]["duration_ms"] == 45_000


@pytest.mark.parametrize("name", ["mine", "quiet-day/99", "rate-limited", "nowhere"])
def test_an_unknown_example_is_400_and_the_runs_of_scenarios_are_named(mock, name):
    (line,), _ = errors_of(mock.get(RUN_ANY, headers={"Prefer": f"example={name}"}))

    assert line.startswith(f"Prefer: example={name} is not possible")
    for known in ("documented_example", "quiet-day", "quiet-day/3", "long-history/run_weekly"):
        assert f" {known}" in line


def test_an_example_of_a_scenario_that_never_ends_is_still_running(mock):
    document = {
        "summary": "One that never ends.",
        "runs": [{"workflow_id": "wf_abc123", "at_s": 5, "status": "running"}],
    }
    mock.put("/__mock/scenario", json={"name": "endless", "document": document})

    assert example(mock, "endless")["status"] == "running"
