"""Bodies that Python's reader of JSON takes and JSON does not, or that have no form in UTF-8."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app

BALANCE = "/v1/credits/balance"
TEST = "/v1/workflows/wf_abc123/test"
HALF = '{"kind": "status", "path": "/v1/\\ud83d"}'
JSON = {"content-type": "application/json"}


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/__mock/clock", '{"speed": %s}'),
        ("POST", "/__mock/clock/advance", '{"seconds": %s}'),
        ("POST", "/__mock/faults", '{"kind": "latency", "share": %s}'),
        ("PUT", "/__mock/scenario", '{"document": {"summary": "x", "runs": [{"at_s": %s}]}}'),
        ("POST", TEST, '{"overrides": {"likes": %s}}'),
    ],
)
def test_a_number_that_is_none_of_json_is_refused_and_changes_nothing(mock, method, path, body):
    before = mock.get("/__mock/state").json()

    for number in ("NaN", "Infinity", "-Infinity", "1e999"):
        response = mock.request(method, path, content=body % number, headers=JSON)

        assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert mock.get("/__mock/state").json() == before
    assert mock.get(BALANCE).status_code == 200


def test_half_a_surrogate_pair_comes_back_as_it_was_sent(mock):
    added = mock.post("/__mock/faults", content=HALF, headers=JSON)

    assert added.status_code == 201
    assert added.json()["path"] == "/v1/\ud83d"
    assert mock.get("/__mock/state").json()["faults"] == [added.json()]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/__mock/faults", '{"kind": "reset", "\\ud83d": 1}'),
        (TEST, '{"test_config": {"action_mocks": {"\\ud83d": 1}}}'),
    ],
)
def test_half_a_surrogate_pair_may_stand_in_a_refusal(mock, path, body):
    response = mock.post(path, content=body, headers=JSON)

    assert response.status_code == 400
    assert "\ud83d" in "".join(response.json()["error"]["details"]["errors"])


def test_the_refusal_of_a_fault_without_a_kind_lists_the_kinds_alone(mock):
    response = mock.post("/__mock/faults", json={"status": 503})

    (line,) = response.json()["error"]["details"]["errors"]
    assert line.startswith('kind: expected one of "latency", "status", "reset", ')


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "9999-12-01T00:00:00Z"])
def test_time_ends_where_every_response_still_has_a_date(mock, moment):
    refused = mock.put("/__mock/clock", json={"now": moment})
    mock.put("/__mock/clock", json={"now": "9999-11-30T23:59:59Z"})
    too_far = mock.post("/__mock/clock/advance", json={"seconds": 60})
    started = mock.post("/__mock/workflows/wf_abc123/runs", json={})

    assert (refused.status_code, too_far.status_code, started.status_code) == (400, 400, 201)
    paths = [BALANCE, "/v1/workflows/wf_abc123/executions", "/v1/workflows"]
    assert [mock.get(path).status_code for path in paths] == [200, 200, 200]


def test_a_fast_clock_stands_still_at_the_end_of_time(mock, clock):
    mock.put("/__mock/clock", json={"now": "9999-11-30T00:00:00Z", "speed": 1_000_000})
    clock.advance(2.6)  # thirty days of the session

    assert mock.get(BALANCE).status_code == 200
    assert mock.get("/__mock/clock").json()["now"].startswith("9999-11-30T23:59:59.999")
