"""Faults reach clients that have cached the original response, and are not cacheable."""

import json
from http import HTTPStatus

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS
from deadringer.mockserver.faults.transport import KINDS
from tests.mockserver.conftest import DEMO, KNOWN

FAILED = "/v1/workflows/wf_def456/executions/run_p3n8q1"
TOUCHING = sorted(KINDS.keys() - {"latency"})
ON_THE_WIRE: dict[str, dict[str, int]] = {
    "reset": {},
    "truncate": {},
    "empty": {},
    "hang": {"hang_ms": 1},
    "garbage": {},
    "wrong-length": {},
    "slow-headers": {"over_ms": 1},
}
"""Kinds that only the real server can send, with parameters for short waits."""
MINE = f"{DEMO_KEY}__session_mine"
CARRIERS = [
    {"X-Mock-Session": "mine"},
    {"x-api-key": MINE},
    {"x-api-key": "", "Authorization": f"Bearer {MINE}"},
    {"x-api-key": "", "Authorization": f"bearer {MINE}"},
    {"x-api-key": "", "Authorization": f"BEARER {MINE}"},
]


@pytest.fixture
def mock(over_http, clock, monkeypatch):
    monkeypatch.setattr("deadringer.mockserver.faults.transport.pause", lambda _seconds: None)
    return over_http(build_app(Settings(), clock=clock))


def names_of(response):
    return {name for name, _value in response.headers.raw}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_contract_fault_reaches_a_cached_client_and_leaves(mock, method):
    for path in (KNOWN, FAILED):
        true = mock.request(method, path)
        cached = {"If-None-Match": true.headers["ETag"]}
        assert mock.request(method, path, headers=cached).status_code == 304
        for fault in CONTRACT_FAULTS:
            mock.put(f"/__mock/contract-faults/{fault.name}").raise_for_status()
            mock.get(path)  # some show from the second read on
            faulty = mock.request(method, path, headers=cached)
            mock.delete("/__mock/contract-faults").raise_for_status()
            after = mock.request(method, path, headers=cached)

            assert (fault.name, faulty.status_code) != (fault.name, 304)
            if _is_true(faulty, true):
                assert faulty.headers["ETag"] == true.headers["ETag"], fault.name
            else:
                assert "ETag" not in faulty.headers, fault.name
                assert "Last-Modified" not in faulty.headers, fault.name
                assert faulty.headers["Cache-Control"] == "no-store", fault.name
            assert after.status_code == 304, fault.name


def _is_true(response, true):
    """Return whether a response is the original one, apart from the rate window."""
    message = [
        (one.status_code, one.content, one.headers["Content-Length"], one.headers["Content-Type"])
        for one in (response, true)
    ]
    return message[0] == message[1] and response.headers["Cache-Control"] != "no-store"


@pytest.mark.parametrize("fault", CONTRACT_FAULTS, ids=lambda fault: fault.name)
def test_a_changed_response_has_status_line_and_header_names_of_a_true_one(mock, fault):
    requests = [
        (KNOWN, DEMO),
        (FAILED, DEMO),
        (f"{KNOWN}x", DEMO),
        (KNOWN, {"x-api-key": ""}),
        ("/v1/workflows/wf_def456/executions?page=2", DEMO),
        ("/v1/workflows/wf_def456/executions?page=x", DEMO),
    ]
    known = {
        name for path, headers in requests for name in names_of(mock.get(path, headers=headers))
    }
    mock.put(f"/__mock/contract-faults/{fault.name}")
    for path, headers in requests:
        response = mock.get(path, headers=headers)
        assert response.reason_phrase.upper() == _reasons()[response.status_code]
        assert names_of(response) <= known | {b"Location"}


def _reasons():
    return {status.value: status.phrase.upper() for status in HTTPStatus}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", sorted(set(TOUCHING) - ON_THE_WIRE.keys()))
@pytest.mark.parametrize("way", ["session", "prefer"])
def test_a_transport_fault_reaches_a_cached_client_and_leaves(mock, kind, way, method):
    true = mock.request(method, KNOWN)
    cached = {"If-None-Match": true.headers["ETag"]}
    prefer = "error-503" if kind == "status" else kind
    headers = {**cached, "Prefer": f"fault={prefer}"} if way == "prefer" else cached
    if way == "session":
        mock.post("/__mock/faults", json={"kind": kind}).raise_for_status()
    faulty = mock.request(method, KNOWN, headers=headers)
    mock.delete("/__mock/faults").raise_for_status()

    assert faulty.status_code == (503 if kind == "status" else 200)
    assert "ETag" not in faulty.headers
    assert faulty.headers["Cache-Control"] == "no-store"
    assert mock.request(method, KNOWN, headers=cached).status_code == 304


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("way", "kind"),
    [
        *(("session", kind) for kind in ON_THE_WIRE),
        # Prefer takes no parameters: without one, the other kinds take long.
        *(("prefer", kind) for kind, parameters in ON_THE_WIRE.items() if not parameters),
    ],
)
def test_a_fault_on_the_wire_reaches_a_cached_client_and_leaves(client, kind, way, method):
    session = {"X-Mock-Session": f"{kind}-{way}-{method}"}
    true = client.request(method, KNOWN, headers=session)
    cached = {**session, "If-None-Match": true.headers["ETag"]}
    fault = {"kind": kind, **ON_THE_WIRE[kind]}
    if way == "session":
        client.post("/__mock/faults", json=fault, headers=session).raise_for_status()
    prefer = {"Prefer": f"fault={kind}"} if way == "prefer" else {}
    try:
        faulty = client.request(method, KNOWN, headers={**cached, **prefer})
    except httpx.TransportError:
        faulty = None
    client.delete("/__mock/faults", headers=session).raise_for_status()

    if faulty is not None:
        assert faulty.status_code == 200
        assert "ETag" not in faulty.headers
        assert faulty.headers["Cache-Control"] == "no-store"
    if method == "GET":
        assert (faulty is None) is (kind != "slow-headers")
    assert client.request(method, KNOWN, headers=cached).status_code == 304


def test_a_delay_alone_leaves_the_response_true(mock):
    tag = mock.get(KNOWN).headers["ETag"]
    mock.post("/__mock/faults", json={"kind": "latency", "delay_ms": 1})

    assert mock.get(KNOWN, headers={"If-None-Match": tag}).status_code == 304


def test_a_mix_of_faults_reaches_a_cached_client(mock):
    tag = mock.get(KNOWN).headers["ETag"]
    mock.put("/__mock/chaos", json={"profile": "maintenance"})

    assert mock.get(KNOWN, headers={"If-None-Match": tag}).status_code == 503


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("fault", ["any-key-will-do", "run-found-anywhere", "duration-in-seconds"])
def test_a_contract_fault_sees_the_session_of_the_request(mock, carrier, fault):
    """Requests that the fault itself sends belong to that session too."""
    mine = {"X-Mock-Session": "mine"}
    run_path = f"/__mock{KNOWN.removeprefix('/v1')}"
    changed = mock.patch(run_path, json={"id": "exec_of_mine"}, headers=mine)
    assert changed.is_success
    mock.put(f"/__mock/contract-faults/{fault}", headers=mine)
    other = KNOWN.replace("wf_abc123", "wf_def456")

    here, elsewhere = mock.get(KNOWN, headers=carrier), mock.get(other, headers=carrier)
    assert here.json()["data"]["id"] == "exec_of_mine"
    if fault == "run-found-anywhere":
        assert elsewhere.json()["data"]["id"] == "exec_of_mine"
    assert mock.get(KNOWN).json()["data"]["id"] != "exec_of_mine"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_transport_faults_and_mixes_see_the_session_of_the_request(mock, carrier):
    mine = {"X-Mock-Session": "mine"}
    mock.post("/__mock/faults", json={"kind": "status", "status": 502}, headers=mine)
    assert [mock.get(KNOWN, headers=one).status_code for one in (carrier, {})] == [502, 200]
    mock.post("/__mock/reset", headers=mine)
    mock.put("/__mock/chaos", json={"profile": "maintenance"}, headers=mine)
    assert [mock.get(KNOWN, headers=one).status_code for one in (carrier, {})] == [503, 200]
    mock.post("/__mock/reset", headers=mine)
    for fault in ("error-500", "failed-runs-crash"):
        preferred = mock.get(FAILED, headers={**carrier, "Prefer": f"fault={fault}"})
        assert preferred.status_code == 500
    sessions = mock.get("/__mock/journal", headers=mine).json()["entries"]
    assert {entry["session"] for entry in sessions} == {"mine"}


def test_an_unknown_key_of_a_session_needs_that_sessions_open_door(mock):
    mock.put("/__mock/contract-faults/any-key-will-do", headers={"X-Mock-Session": "mine"})
    wrong = {"x-api-key": "trig_wrong_key_0123456789__session_mine"}

    assert mock.get(KNOWN, headers=wrong).status_code == 200
    assert mock.get(KNOWN, headers={"x-api-key": "trig_wrong_key_0123456789"}).status_code == 401


@pytest.mark.parametrize(
    ("preferred", "applied"),
    [
        ("fault=duration-in-seconds", "fault=duration-in-seconds"),
        ("fault=list-is-open", None),
        ("fault=failed-runs-crash, status=failed", "fault=failed-runs-crash"),
        ("fault=duration-in-seconds, status=completed", None),
    ],
)
def test_the_applied_preferences_are_those_of_the_response_that_is_sent(mock, preferred, applied):
    message = mock.get(KNOWN, headers={"Prefer": preferred}).headers.get("Preference-Applied")

    assert message == (applied or (preferred if "status=completed" in preferred else None))


def test_a_fault_in_head_counts_no_read(mock):
    mock.put("/__mock/contract-faults/finished-run-moves")
    lengths = {mock.head(KNOWN).headers["Content-Length"] for _ in range(3)}
    first = mock.get(KNOWN)

    assert lengths == {first.headers["Content-Length"]}
    assert json.loads(first.content) != mock.get(KNOWN).json()
