"""The balance, the price and the trace of a test run agree."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app

pytestmark = pytest.mark.slow


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(rate_limit="off"), clock=clock))


def balance(mock):
    return mock.get("/v1/credits/balance").json()["data"]["balance"]


def prices(mock):
    items = mock.get("/v1/workflows/actions").json()["data"]["items"]
    return {one["kind"]: one.get("creditCost") or 0 for one in items}


def finished(mock, workflow_id, **body):
    """Start a test run; return its final trace, and the credits it cost."""
    had = balance(mock)
    started = mock.post(f"/v1/workflows/{workflow_id}/test", json=body).json()["data"]
    cost = had - balance(mock)
    mock.post("/__mock/clock/advance", json={"seconds": 7 * 86_400})
    path = f"/v1/workflows/{workflow_id}/executions/{started['test_run_id']}"
    return mock.get(path).json()["data"], cost


def test_every_item_of_a_loop_is_charged(mock):
    run, cost = finished(mock, "wf_loop77")

    ran = [one["operation"] for one in run["steps"] if one["status"] != "skipped"]
    assert max(one.get("total_items", 0) for one in run["steps"]) > 1
    price = prices(mock)
    assert cost == sum(price.get(kind, 0) for kind in ran) > 0


def test_every_workflow_costs_what_its_trace_lists(mock):
    price = prices(mock)
    for workflow in mock.get("/v1/workflows", params={"limit": 100}).json()["data"]["items"]:
        run, cost = finished(mock, workflow["id"])

        ran = [one["operation"] for one in run["steps"] if one["status"] != "skipped"]
        assert cost == sum(price.get(kind, 0) for kind in ran), workflow["id"]


def test_a_mocked_action_costs_nothing(mock):
    mocks = {name: {"enabled": True, "output": {}} for name in ("agent-1", "slack-1")}

    _run, cost = finished(mock, "wf_abc123", test_config={"action_mocks": mocks})

    assert cost == 0


def test_a_started_run_takes_as_long_as_it_is_told(mock):
    body = {"status": "completed", "duration_ms": 3 * 3_600_000}
    run = mock.post("/__mock/workflows/wf_abc123/runs", json=body).json()

    mock.post("/__mock/clock/advance", json={"seconds": 3 * 3600 - 1})
    before = mock.get(run["path"]).json()["data"]
    mock.post("/__mock/clock/advance", json={"seconds": 1})
    after = mock.get(run["path"]).json()["data"]

    assert before["status"] == "running"
    assert (after["status"], after["duration_ms"]) == ("completed", 3 * 3_600_000)


def test_a_run_that_never_ends_has_no_duration(mock):
    body = {"status": "running", "duration_ms": 1000}
    response = mock.post("/__mock/workflows/wf_abc123/runs", json=body)

    assert response.status_code == 400
    assert "never ends" in response.json()["error"]["message"]


def spent_to_the_end(mock):
    """Start test runs until one is refused; return the refusal and the credits left."""
    for _ in range(2_000):
        response = mock.post("/v1/workflows/wf_loop77/test")
        if response.status_code != 200:
            return response, balance(mock)
    raise AssertionError("nothing was ever refused")


def test_a_run_that_costs_more_than_is_left_is_refused_and_not_started(mock):
    refusal, left = spent_to_the_end(mock)

    path = "/v1/workflows/wf_loop77/executions?page_size=1"
    before = mock.get(path).json()
    mock.post("/v1/workflows/wf_loop77/test")
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (403, "INSUFFICIENT_CREDITS")
    assert f"{left} are left" in refusal.json()["error"]["message"]
    assert (mock.get(path).json(), balance(mock)) == (before, left)

    mock.post("/__mock/reset")
    assert mock.post("/v1/workflows/wf_loop77/test").status_code == 200


def test_runs_started_by_command_are_never_refused_and_the_balance_ends_at_zero(mock):
    spent_to_the_end(mock)

    responses = {mock.post("/__mock/workflows/wf_loop77/runs").status_code for _ in range(5)}

    assert responses == {201}
    assert balance(mock) == 0


def at(mock, moment):
    """Stop the clock at a moment; return the balance and its next reset."""
    mock.put("/__mock/clock", json={"now": moment, "speed": 0})
    message = mock.get("/v1/credits/balance").json()["data"]
    return message["balance"], message["next_reset"]


def test_the_balance_is_full_again_after_each_reset_instant(mock):
    april, may = "2026-04-01T00:00:00.000Z", "2026-05-01T00:00:00.000Z"
    full = at(mock, "2026-03-27T10:15:00Z")[0]
    _refusal, left = spent_to_the_end(mock)

    assert at(mock, "2026-03-31T23:59:59.999Z") == (left, april)
    assert mock.post("/v1/workflows/wf_loop77/test").status_code == 403
    assert at(mock, april) == (full, may)
    assert mock.post("/v1/workflows/wf_loop77/test").status_code == 200
    assert at(mock, april)[0] < full
    assert at(mock, "2026-03-01T00:00:00Z") == (left, april)
    assert at(mock, "2026-02-28T23:59:59Z")[0] == at(mock, may)[0] == full
