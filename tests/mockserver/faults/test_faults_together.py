"""Transport faults: which requests each matches, and several faults on one response."""

from itertools import permutations

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import DEMO, KNOWN

BALANCE = "/v1/credits/balance"
ROWS = "/v1/workflows/wf_abc123/executions"
TEST = "/v1/workflows/wf_abc123/test"
OTHER = "/v1/workflows/wf_def456"
REQUESTS = (("GET", BALANCE), ("HEAD", BALANCE), ("GET", ROWS), ("POST", TEST), ("GET", OTHER))


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(rate_limit="off"), clock=clock))


@pytest.mark.parametrize(
    ("scope", "matched"),
    [
        ({}, [True, True, True, True, True]),
        ({"method": "POST"}, [False, False, False, True, False]),
        ({"method": "HEAD"}, [False, True, False, False, False]),
        ({"operation": "getCreditBalance"}, [True, True, False, False, False]),
        ({"operation": "getCreditBalance", "method": "GET"}, [True, False, False, False, False]),
        ({"workflow_id": "wf_abc123"}, [False, False, True, True, False]),
        ({"path": "/v1/workflows/*"}, [False, False, True, True, True]),
        ({"key": DEMO_KEY, "method": "GET"}, [True, False, True, False, True]),
        ({"key": "trig_of_another"}, [False, False, False, False, False]),
    ],
)
def test_a_fault_meets_what_its_whole_scope_fits(mock, scope, matched):
    mock.post("/__mock/faults", json={"kind": "status", "status": 502, **scope})

    assert [mock.request(*requested).status_code == 502 for requested in REQUESTS] == matched


def test_a_fault_of_a_key_meets_its_session_alone(mock):
    key = {"x-api-key": f"{DEMO_KEY}__session_one"}
    mock.post(
        "/__mock/faults",
        json={"kind": "status", "key": DEMO_KEY},
        headers={"X-Mock-Session": "one"},
    )

    assert [mock.get(BALANCE, headers=one).status_code for one in (key, {})] == [503, 200]


@pytest.fixture(scope="module")
def real(start_server):
    """The real server, which alone can end connections."""
    return start_server("--rate-limit", "off")


@pytest.mark.parametrize("kinds", [*permutations(["empty", "truncate", "content-type"])])
def test_faults_that_break_an_answer_off_leave_nothing_to_the_others(real, kinds):
    httpx.post(f"{real.url}/__mock/reset")
    for kind in kinds:
        httpx.post(f"{real.url}/__mock/faults", json={"kind": kind})

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(real.url + KNOWN, headers=DEMO)

    (entry,) = httpx.get(f"{real.url}/__mock/journal").json()["entries"]
    assert (entry["status"], set(entry["faults"])) == (200, set(kinds))
