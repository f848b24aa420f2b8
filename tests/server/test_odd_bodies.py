"""Bodies that Python's reader of JSON takes and JSON does not, or that have no form in UTF-8."""

import pytest

from mockserver import Settings
from mockserver.app import build_app

BALANCE = "/v1/credits/balance"
TEST = "/v1/workflows/wf_abc123/test"
HALF = '{"kind": "status", "path": "\\ud83d"}'
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
        answer = mock.request(method, path, content=body % number, headers=JSON)

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert mock.get("/__mock/state").json() == before
    assert mock.get(BALANCE).status_code == 200


def test_half_a_surrogate_pair_comes_back_as_it_was_sent(mock):
    added = mock.post("/__mock/faults", content=HALF, headers=JSON)

    assert added.status_code == 201
    assert added.json()["path"] == "\ud83d"
    assert mock.get("/__mock/state").json()["faults"] == [added.json()]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/__mock/faults", '{"kind": "reset", "\\ud83d": 1}'),
        (TEST, '{"test_config": {"action_mocks": {"\\ud83d": 1}}}'),
    ],
)
def test_half_a_surrogate_pair_may_stand_in_a_refusal(mock, path, body):
    answer = mock.post(path, content=body, headers=JSON)

    assert answer.status_code == 400
    assert "\ud83d" in "".join(answer.json()["error"]["details"]["errors"])
