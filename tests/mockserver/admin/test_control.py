"""The control API: each session has its own time, faults and runs."""

import signal
import threading
import time
from contextlib import suppress

import httpx
import pytest

from deadringer.contracts.rules import validate_execution
from deadringer.fixtures import load_recordings
from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS
from deadringer.mockserver.faults.transport import NAMED_FAULTS
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN

BALANCE = "/v1/credits/balance"


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def start(mock, workflow_id="wf_abc123", **wanted):
    response = mock.post(f"/__mock/workflows/{workflow_id}/runs", json=wanted)
    assert response.status_code == 201, response.text
    return response.json()


def test_the_next_three_reads_answer_503_and_then_all_is_well(mock):
    mock.post("/__mock/faults", json={"kind": "status", "status": 503, "count": 3})

    responses = [mock.get(BALANCE) for _ in range(4)]

    assert [response.status_code for response in responses] == [503, 503, 503, 200]
    assert responses[0].json()["error"]["code"] == "API_OFF"


def test_a_test_run_that_is_refused_by_a_fault_is_not_started(mock):
    mock.post("/__mock/faults", json={"kind": "status", "status": 503, "count": 1})
    test = "/v1/workflows/wf_abc123/test"

    refused = mock.post(test)
    preferred = mock.post(test, headers={"Prefer": "fault=error-502"})

    assert (refused.status_code, preferred.status_code) == (503, 502)
    assert refused.headers["RateLimit-Limit"] == "100"
    assert mock.get("/__mock/state").json()["started_runs"] == []


def test_faults_in_force_are_listed_with_where_they_come_from(mock):
    document = {"summary": "x", "faults": [{"kind": "drip"}], "chaos": "maintenance"}
    mock.put("/__mock/scenario", json={"name": "mine", "document": document})
    added = mock.post("/__mock/faults", json={"kind": "latency", "delay_ms": 1}).json()["id"]

    listed = mock.get("/__mock/faults").json()["in_force"]
    refused = mock.delete("/__mock/faults/mine-1")
    left = mock.delete("/__mock/faults").json()
    mock.delete("/__mock/scenario")

    assert [(one["id"], one["origin"]) for one in listed] == [
        *(("maintenance-1", "chaos"), ("mine-1", "scenario"), (added, "session")),
    ]
    assert refused.status_code == 409
    assert "DELETE /__mock/scenario" in refused.json()["error"]["suggestion"]
    assert (left["faults"], [one["id"] for one in left["in_force"]]) == (
        [],
        ["maintenance-1", "mine-1"],
    )
    assert mock.get("/__mock/faults").json()["in_force"] == []


def test_a_fault_meets_only_requests_in_its_scope(mock):
    mock.post("/__mock/faults", json={"kind": "status", "operation": "getExecution"})

    assert (mock.get(KNOWN).status_code, mock.get(BALANCE).status_code) == (503, 200)


@pytest.mark.parametrize("kind", ["reset", "truncate", "empty", "hang"])
def test_a_broken_connection_is_seen_as_one(start_server, kind):
    url = start_server().url
    body = {"kind": kind, **({"hang_ms": 50} if kind == "hang" else {})}
    httpx.post(f"{url}/__mock/faults", json=body)

    seen = httpx.ReadError if kind == "reset" else httpx.RemoteProtocolError
    with pytest.raises(seen):
        httpx.get(url + KNOWN, headers={"x-api-key": DEMO_KEY})


def test_malformed_json_and_a_wrong_type_arrive_whole(mock):
    mock.post("/__mock/faults", json={"kind": "malformed", "count": 1})
    mock.post("/__mock/faults", json={"kind": "content-type", "count": 1})

    response = mock.get(KNOWN)

    assert response.headers["content-type"] == "text/html"
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        response.json()


def test_a_share_of_faults_is_the_same_for_the_same_seed(mock):
    def statuses(session):
        headers = {"X-Mock-Session": session}
        fault = {"kind": "status", "share": 0.5, "seed": 7}
        mock.post("/__mock/faults", json=fault, headers=headers)
        return [mock.get(BALANCE, headers=headers).status_code for _ in range(12)]

    first = statuses("one")
    assert first == statuses("two")
    assert set(first) == {200, 503}


def test_a_fault_holds_from_one_time_until_another_of_the_session_clock(mock):
    mock.put("/__mock/clock", json={"now": "2027-01-01T00:00:00Z", "speed": 0})
    mock.post("/__mock/faults", json={"kind": "status", "from_s": 60, "until_s": 120})

    statuses = []
    for _ in range(4):
        statuses.append(mock.get(BALANCE).status_code)
        mock.post("/__mock/clock/advance", json={"seconds": 59.5})

    assert statuses == [200, 200, 503, 200]


def test_a_contract_fault_can_be_preferred_for_one_request(mock):
    prefer = {"Prefer": "fault=duration-in-seconds, delay=1"}

    violating = mock.get(KNOWN, headers=prefer)
    entry = mock.get("/__mock/journal").json()["entries"][0]

    whole = mock.get(KNOWN).json()["data"]["duration_ms"]
    assert violating.json()["data"]["duration_ms"] == whole // 1000
    assert violating.headers["Preference-Applied"] == "delay=1, fault=duration-in-seconds"
    assert entry["contract_faults"] == ["duration-in-seconds"]
    assert entry["response_violations"]


def test_an_unknown_fault_is_refused_and_all_are_named(mock):
    response = mock.get(KNOWN, headers={"Prefer": "fault=nonsense"})

    (line,) = response.json()["error"]["details"]["errors"]
    names = [*NAMED_FAULTS, *(fault.name for fault in CONTRACT_FAULTS)]
    assert response.status_code == 400
    assert [name for name in names if name not in line] == []


def test_bad_faults_are_refused_line_by_line(mock):
    response = mock.post("/__mock/faults", json={"kind": "latency", "share": 2, "nonsense": 1})

    assert response.status_code == 400
    assert len(response.json()["error"]["details"]["errors"]) == 2


def test_time_stands_moves_and_goes_back(mock):
    frozen = mock.put("/__mock/clock", json={"now": "2027-01-01T00:00:00Z", "speed": 0}).json()
    moved = mock.post("/__mock/clock/advance", json={"seconds": 90}).json()
    reset = mock.request("DELETE", "/__mock/clock").json()

    assert (frozen["mode"], moved["now"]) == ("frozen", "2027-01-01T00:01:30.000Z")
    assert reset["mode"] == "real"


def test_a_started_run_goes_through_its_states_as_the_clock_moves(mock):
    run = start(mock, status="failed")
    first = mock.get(run["path"]).json()["data"]
    listed = mock.get("/v1/workflows/wf_abc123/executions").json()["data"]["executions"]

    mock.post("/__mock/clock/advance", json={"seconds": 7200})
    last = mock.get(run["path"]).json()["data"]

    assert (first["status"], last["status"]) == ("running", "failed")
    assert listed[0]["run_id"] == run["run_id"]


def test_a_run_can_be_driven_by_reads_or_by_command(mock):
    read, manual = start(mock, drive="read"), start(mock, drive="manual")
    immediate = start(mock, drive="immediate")

    seen = [mock.get(read["path"]).json()["data"] for _ in range(12)]
    before = mock.get(manual["path"]).json()["data"]["status"]
    path = f"/__mock/workflows/wf_abc123/executions/{manual['run_id']}/advance"
    after = mock.post(path, json={"transitions": 50}).json()["status"]

    assert seen[0]["status"] == "running"
    assert seen[-1]["status"] == "completed"
    assert len({str(one) for one in seen}) > 3
    assert (before, after) == ("running", "completed")
    assert mock.get(immediate["path"]).json()["data"]["status"] == "completed"


def test_sessions_do_not_see_each_other(mock):
    mock.put("/__mock/clock", json={"speed": 0}, headers={"X-Mock-Session": "one"})
    mock.post("/__mock/faults", json={"kind": "status"}, headers={"X-Mock-Session": "one"})

    by_key = mock.get(BALANCE, headers={"x-api-key": f"{DEMO_KEY}__session_one"})
    assert (by_key.status_code, mock.get(BALANCE).status_code) == (503, 200)
    assert mock.get("/__mock/state").json()["clock"]["mode"] == "real"


def test_every_session_can_be_reset_at_once_and_otherwise_one_is(start_server):
    server = start_server()
    every = {"x-api-key": DEMO_KEY}
    with httpx.Client(verify=NO_TLS, base_url=server.url, headers=every) as mock:
        for name in ("", "a"):
            mock.put("/__mock/chaos", json={"profile": "maintenance"}, headers=in_session(name))
        for _ in range(4):
            mock.get(BALANCE, headers=in_session("never-changed"))

        mock.post("/__mock/reset")
        assert mock.get(BALANCE, headers=in_session("a")).status_code == 503
        message = mock.post("/__mock/reset?all=true")

        assert message.json()["session"] == ""
        for name in ("", "a", "never-changed"):
            assert mock.get("/__mock/journal", headers=in_session(name)).json()["entries"] == []
            response = mock.get(BALANCE, headers=in_session(name))
            assert (response.status_code, response.headers["RateLimit-Remaining"]) == (200, "99")


def in_session(name):
    return {"X-Mock-Session": name} if name else {}


def test_an_execution_is_judged_before_it_is_served(mock):
    path = f"/__mock{KNOWN.removeprefix('/v1')}"

    refused = mock.patch(path, json={"status": "running"})
    forced = mock.patch(path, params={"force": "true"}, json={"status": "running"})

    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["errors"]
    assert forced.json()["status"] == mock.get(KNOWN).json()["data"]["status"] == "running"
    assert validate_execution(mock.get(KNOWN).json()["data"]) != []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_changed_execution_keeps_the_ids_of_its_path(mock, method):
    path = f"/__mock{KNOWN.removeprefix('/v1')}"
    before = mock.get(KNOWN).json()["data"]
    sent = before if method == "PUT" else {}

    mock.request(method, path, json={**sent, "run_id": "run_other", "workflow_id": "wf_else"})

    assert mock.get(KNOWN).json()["data"] == before


def test_put_and_delete_change_list_and_detail_and_reset_undoes_them(mock):
    workflow, run = KNOWN.split("/")[3], KNOWN.split("/")[5]
    listed = f"/v1/workflows/{workflow}/executions"
    total = mock.get(listed).json()["data"]["pagination"]["total_count"]
    document = next(one.execution for one in load_recordings() if one.name == "instant_failure")

    mock.request("DELETE", f"/__mock/workflows/{workflow}/executions/{run}")
    mock.put(f"/__mock/workflows/{workflow}/executions/run_mine", json=document)
    mock.put(f"/__mock/workflows/{workflow}/executions/run_more", json=document)

    assert mock.get(KNOWN).status_code == 404
    assert mock.get(f"{listed}/run_mine").json()["data"]["run_id"] == "run_mine"
    assert mock.get(listed).json()["data"]["pagination"]["total_count"] == total + 1
    mock.post("/__mock/reset")
    assert mock.get(KNOWN).status_code == 200
    assert mock.get(listed).json()["data"]["pagination"]["total_count"] == total


def test_a_promise_is_broken_and_kept_again_by_one_switch(mock):
    mock.put("/__mock/contract-faults/balance-is-open")
    violating = mock.get(BALANCE, headers={"x-api-key": ""}).status_code
    mock.request("DELETE", "/__mock/contract-faults")

    assert (violating, mock.get(BALANCE, headers={"x-api-key": ""}).status_code) == (200, 401)


def test_pages_of_other_sites_may_not_steer(mock):
    for origin, status in (("http://localhost:5173", 200), ("https://evil.example", 403)):
        response = mock.post("/__mock/reset", headers={"Origin": origin})
        assert response.status_code == status


def test_a_token_is_asked_for_and_no_control_is_none(over_http):
    guarded = over_http(build_app(Settings(control_token="let me in")))
    without = over_http(build_app(Settings(control=False)))

    assert guarded.get("/__mock/state").status_code == 401
    assert guarded.get("/__mock/state", headers={"X-Mock-Token": "let me in"}).status_code == 200
    assert without.get("/__mock/state").status_code == 404


def test_what_was_acknowledged_outlives_a_kill(start_server, tmp_path):
    state = tmp_path / "state.sqlite"
    first = start_server("--state", str(state))
    responses = [
        httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).json()
        for _ in range(20)
    ]
    first.process.kill()
    first.process.wait()

    second = start_server("--state", str(state))
    runs = httpx.get(f"{second.url}/__mock/state").json()["started_runs"]

    assert [run["run_id"] for run in runs] == [response["run_id"] for response in responses]


@pytest.mark.slow
def test_a_kill_in_the_middle_of_writes_loses_nothing_that_was_acknowledged(start_server, tmp_path):
    state = tmp_path / "state.sqlite"
    server = start_server("--state", str(state))
    acknowledged: list[str] = []

    def write() -> None:
        with (
            httpx.Client(verify=NO_TLS, base_url=server.url) as client,
            suppress(httpx.TransportError),
        ):
            while True:
                response = client.post("/__mock/workflows/wf_abc123/runs", json={})
                acknowledged.append(response.json()["run_id"])

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 50 and any(writer.is_alive() for writer in writers):
        time.sleep(0.005)
    server.stop(signal.SIGKILL)
    for writer in writers:
        writer.join()

    again = start_server("--state", str(state))
    stored = httpx.get(f"{again.url}/__mock/state").json()["started_runs"]
    assert len(acknowledged) >= 50
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= {run["run_id"] for run in stored}


@pytest.mark.parametrize(
    ("prefer", "status"),
    [("status=failed", "failed"), ("steps=40", "completed"), ("example=instant_failure", "failed")],
)
def test_a_preferred_execution_stands_under_the_asked_ids(mock, prefer, status):
    path = "/v1/workflows/wf_abc123/executions/run_any"
    response = mock.get(path, headers={"Prefer": prefer})

    data = response.json()["data"]
    assert (data["run_id"], data["workflow_id"], data["status"]) == ("run_any", "wf_abc123", status)
    assert response.headers["Preference-Applied"] == prefer
    assert validate_execution(data) == []
    if prefer == "steps=40":
        assert len(data["steps"]) == 40


def test_query_forms_work_without_the_header_and_seeds_repeat(mock):
    path = "/v1/workflows/wf_abc123/executions/run_any"

    first, second = (mock.get(path, params={"__seed": "7"}) for _ in range(2))

    assert first.content == second.content
    assert mock.get(path, params={"__code": "404"}).status_code == 404
    assert first.content != mock.get(path, params={"__seed": "8"}).content


def test_magic_ids_choose_a_situation(mock):
    def read(run_id, workflow_id="wf_abc123"):
        return mock.get(f"/v1/workflows/{workflow_id}/executions/{run_id}")

    assert read("run_failed").json()["data"]["status"] == "failed"
    assert read("run_running_forever").json()["data"]["status"] == "running"
    assert [read(f"run_{code}").status_code for code in (404, 429, 503)] == [404, 429, 503]
    assert read("run_failed", "wf_nowhere").status_code == 404


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"exactly": 2}, "expected exactly 2"),
        ({"exactly": 0}, "expected exactly 0"),
        ({"at_least": 2, "at_most": 3}, "expected 2 to 3"),
        ({"at_least": 2}, "expected 2 or more"),
        ({"at_most": 0}, "expected 0 or fewer"),
    ],
)
def test_a_wrong_count_names_the_bound_that_was_expected(mock, bounds, expected):
    mock.get(BALANCE)

    verified = mock.post("/__mock/verify", json=bounds)

    assert verified.json()["error"]["message"] == f"1 requests match, {expected}"


@pytest.mark.parametrize(
    "patch",
    [
        *({name: None} for name in ("status", "started_at", "ended_at", "duration_ms", "error")),
        {"steps": None},
        {"steps": "none", "status": 7, "started_at": []},
        {"steps": [None, {"step_id": {}}, {"step_id": "a", "input": 1}]},
    ],
)
def test_a_forced_document_is_served_as_it_is(mock, patch):
    mock.patch(f"/__mock{KNOWN.removeprefix('/v1')}?force=true", json=patch)
    listing, run_id = KNOWN.rsplit("/", 1)
    workflow_id = listing.split("/")[3]
    trace = f"/__mock/ui/runs/{workflow_id}/{run_id}"

    detail = mock.get(KNOWN)
    rows = [mock.get(f"{listing}?page_size=100&page={page}") for page in (1, 2, 3)]
    variables = mock.get(f"{KNOWN}/variables")
    pages = [mock.get(path) for path in ("/__mock/ui/runs", trace, f"{trace}/data")]

    assert {one.status_code for one in [detail, *rows, variables]} == {200}
    served = detail.json()["data"]
    assert {name: served.get(name) for name in patch} == patch
    assert [name for name, value in patch.items() if value is None and name in served] == []
    every = [row for page in rows for row in page.json()["data"]["executions"]]
    (row,) = (one for one in every if one["run_id"] == run_id)
    assert row.get("status") == served.get("status")
    assert row.get("duration") == served.get("duration_ms")
    assert [page.status_code for page in pages] == [200, 200, 200]


def test_head_does_not_move_a_run_that_reads_move(mock):
    path = start(mock, drive="read")["path"]

    heads = [mock.head(path).headers["content-length"] for _ in range(4)]
    first, second = (mock.get(path) for _ in range(2))

    assert heads == [str(len(first.content))] * 4
    assert first.json()["data"] != second.json()["data"]
