"""The journal: requests and responses, their violations, and verified counts."""

import contextlib
import http.client

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.api.middleware.journal import (
    MAX_BODY_BYTES,
    Journal,
    JournalLayer,
    Verdicts,
)
from deadringer.mockserver.app import EXTENSION, JOURNAL, build_app
from deadringer.mockserver.context import ContextLayer
from tests.mockserver.conftest import KNOWN


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def test_it_holds_both_sides_newest_first_and_no_key(mock):
    mock.get(KNOWN, headers={"Prefer": "code=404"})
    mock.post("/v1/workflows/wf_abc123/test", json={"overrides": {"likes": "many"}})

    response = mock.get("/__mock/journal")
    last, first = response.json()["entries"]

    assert (first["path"], first["status"], first["preferences"]) == (KNOWN, 404, ["code=404"])
    assert "NOT_FOUND" in first["response"]["body"]
    assert "many" in last["request"]["body"]
    assert len(last["request_violations"]) >= (last["status"] == 400)
    assert DEMO_KEY not in response.text


def test_credentials_of_others_are_hidden_too(mock):
    secrets = {
        "X-Mock-Token": "other-token",
        "Authorization": "Basic b3RoZXI6c2VjcmV0",
        "Cookie": "deadringer_control=other-cookie",
        "x-api-key": "other-key",
    }
    mock.get(KNOWN, headers={**secrets, "X-Client": "plain"})

    response = mock.get("/__mock/journal")
    (entry,) = response.json()["entries"]
    sent = entry["request"]["headers"]
    assert [value for value in ("other", "b3RoZX") if value in response.text] == []
    assert (entry["key"], sent["authorization"], sent["x-client"]) == ("***", "Basic ***", "plain")


def test_a_path_with_more_slashes_is_journaled_as_it_is_answered(start_server):
    server = start_server()
    address = server.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address)) as connection:
        connection.request("GET", f"/{KNOWN}", headers={"x-api-key": DEMO_KEY})
        status = connection.getresponse().status

    (entry,) = httpx.get(f"{server.url}/__mock/journal").json()["entries"]
    assert (entry["path"], entry["status"]) == (f"/{KNOWN}", status)


def test_a_body_in_chunks_is_journaled(start_server):
    server = start_server()
    path, headers = "/v1/workflows/wf_abc123/test", {"x-api-key": DEMO_KEY}
    httpx.post(server.url + path, headers=headers, content=iter([b'{"overrides":', b" 1}"]))

    (entry,) = httpx.get(f"{server.url}/__mock/journal").json()["entries"]
    assert entry["request"]["body"] == '{"overrides": 1}'


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_a_compressed_answer_is_shown_plain(mock, encoding):
    response = mock.get(KNOWN, headers={"Accept-Encoding": encoding})

    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert response.headers.get("Content-Encoding", "identity") == encoding
    assert entry["response"]["body"] == response.text
    assert entry["response_violations"] == []


def test_a_bad_request_is_marked(mock):
    mock.get("/v1/workflows/wf_abc123/executions", params={"page": 0})

    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert "query/page" in entry["request_violations"][0]


def request_violations_of(mock):
    return [one["request_violations"] for one in mock.get("/__mock/journal").json()["entries"]]


def test_a_client_is_told_of_its_key(mock):
    mock.get(KNOWN, headers={"x-api-key": ""})
    mock.get(KNOWN, headers={"x-api-key": "trig_wrong"})
    mock.get(KNOWN, headers={"x-api-key": "", "Authorization": f"Bearer {DEMO_KEY}"})
    mock.get(KNOWN, headers={"x-api-key": f"{DEMO_KEY}__session_other"})
    mock.options(KNOWN, headers={"x-api-key": ""})

    preflight, bearer, wrong, missing = request_violations_of(mock)
    assert (preflight, bearer) == ([], [])
    assert wrong == ["The API key is not valid"]
    assert missing == ["No API key was sent"]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429])
def test_a_client_is_not_accused_of_what_it_asked_for(mock, code):
    mock.get(KNOWN, headers={"Prefer": f"code={code}"})
    mock.get(KNOWN, params={"__code": code})
    mock.get(f"/v1/workflows/wf_abc123/executions/run_{code}")

    assert request_violations_of(mock) == [[], [], []]


def test_a_client_is_not_accused_of_faults_nor_of_what_is_not_there(mock):
    mock.get("/v1/workflows/wf_abc123/executions/run_unknown")
    mock.get("/v1/nothing")
    mock.post("/__mock/faults", json={"kind": "status", "status": 400, "count": 1})
    mock.get(KNOWN)
    mock.put("/__mock/chaos", json={"profile": "rate-limited"})
    for _ in range(4):
        mock.get(KNOWN)

    assert not any(request_violations_of(mock))


def test_the_type_of_a_body_is_kept(mock):
    mock.post("/v1/workflows/wf_abc123/test", json={})

    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert entry["request"]["headers"]["content-type"] == "application/json"


def test_counts_are_verified(mock):
    for _ in range(3):
        mock.get(KNOWN)
    run_id = KNOWN.rsplit("/", 1)[1]

    def status(**wanted):
        return mock.post("/__mock/verify", json=wanted).status_code

    assert status(run_id=run_id, at_least=3) == 200
    assert status(run_id=run_id, at_least=4) == 409
    assert status(run_id=run_id, exactly=3, status=200) == 200
    assert status(run_id=run_id, at_most=2) == 409
    assert status(nonsense=1) == 400


def test_an_expectation_counts_what_it_names_and_nothing_else(mock):
    run_id = KNOWN.rsplit("/", 1)[1]
    mock.get(KNOWN)
    mock.head(KNOWN)
    mock.options(KNOWN)
    mock.post(KNOWN)
    mock.get(f"{KNOWN}/variables")
    mock.get("/v1/workflows/wf_abc123/executions")
    mock.get("/v1/workflows/wf_abc123")

    def matched(**wanted):
        response = mock.post("/__mock/verify", json={"at_least": 0, **wanted})
        return response.json()["matched"]

    assert matched(run_id=run_id) == 2
    assert matched(run_id=run_id, method="HEAD") == 1
    assert matched(run_id=f"{run_id[:-1]}*") == matched(run_id="*") == 0
    assert matched(run_id=run_id, workflow_id="wf_other") == 0
    assert matched(run_id=run_id, path="/v1/credits/*") == 0
    assert matched(workflow_id="wf_abc") == matched(workflow_id="wf_abc*") == 0
    assert matched(workflow_id="wf_abc123", path="*/executions") == 1
    assert matched(path=KNOWN) == 3
    assert matched(path=KNOWN, method="OPTIONS") == 1


def test_sessions_and_reset_have_journals_of_their_own(mock):
    mock.get(KNOWN, headers={"X-Mock-Session": "one"})
    mock.get(KNOWN)
    mock.post("/__mock/reset")

    other = mock.get("/__mock/journal", headers={"X-Mock-Session": "one"}).json()
    assert (mock.get("/__mock/journal").json()["total"], other["total"]) == (0, 1)


def test_it_is_bounded(over_http, clock):
    journal = Journal(limit=3)
    app = build_app(Settings(control=False), clock=clock)
    service = app.extensions[EXTENSION]
    app.wsgi_app = ContextLayer(JournalLayer(app.wsgi_app, journal), service)
    mock = over_http(app)
    for _ in range(5):
        mock.get(KNOWN)

    assert [entry.number for entry in journal.newest("")] == [5, 4, 3]


def test_of_a_long_body_only_the_beginning_is_kept(over_http, clock):
    app = build_app(Settings(), clock=clock)
    mock = over_http(app)
    body = b'{"overrides": {"likes": "' + b"x" * MAX_BODY_BYTES + b'"}}'
    response = mock.post("/v1/workflows/wf_abc123/test", content=body)

    (stored,) = app.extensions[JOURNAL].newest("")
    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert stored.request_body == body[:MAX_BODY_BYTES]
    assert stored.request_length == len(body)
    assert entry["request"]["body"] == body[:MAX_BODY_BYTES].decode()
    assert entry["status"] == response.status_code
    assert entry["response_violations"] is None


def test_an_entry_says_where_the_answer_came_from(mock):
    mock.get(KNOWN)
    started = mock.post("/__mock/workflows/wf_abc123/runs", json={}).json()
    mock.get(started["path"])
    mock.get("/v1/workflows/wf_abc123/executions/run_unknown")

    unknown, live, recorded = mock.get("/__mock/journal").json()["entries"]
    assert recorded["matched"] == {"kind": "recorded", "name": "documented_example"}
    assert recorded["operation"] == "getExecution"
    assert recorded["path_parameters"]["runId"] == KNOWN.rsplit("/", 1)[1]
    assert live["matched"]["kind"] == "started"
    assert unknown["matched"]["kind"] == "none"
    assert mock.get(f"/__mock/journal/{live['number']}").json() == live
    assert mock.get("/__mock/journal/999").status_code == 404


def test_an_entry_says_what_was_done_to_the_answer_and_what_the_contract_has_against_it(mock):
    mock.get(KNOWN)
    mock.post("/__mock/faults", json={"kind": "content-type", "count": 1})
    mock.get(KNOWN)
    mock.put("/__mock/contract-faults/duration-in-seconds")
    mock.get(KNOWN)

    violating, faulty, good = mock.get("/__mock/journal").json()["entries"]
    assert (good["faults"], good["contract_faults"], good["response_violations"]) == ([], [], [])
    assert faulty["faults"] == ["content-type"]
    assert [one["rule"] for one in faulty["response_violations"]]
    assert violating["contract_faults"] == ["duration-in-seconds"]
    assert [one["rule"] for one in violating["response_violations"]]


def test_an_answer_is_judged_when_it_is_first_read_and_never_again(over_http, clock):
    app = build_app(Settings(), clock=clock)
    mock, verdicts = over_http(app), app.extensions[JOURNAL].verdicts
    for _ in range(3):
        mock.get(KNOWN)
    assert len(verdicts) == 0

    mock.get("/__mock/journal", params={"limit": 2})
    assert len(verdicts) == 2

    known = [{"rule": "cached", "pointer": "", "message": "found before"}]
    verdicts.of(1, lambda: known)
    message = mock.get("/__mock/journal").json()["entries"]
    assert [one["response_violations"] for one in message] == [[], [], known]


def test_verdicts_are_bounded_and_the_oldest_goes():
    verdicts = Verdicts(2)
    validated = []
    for number in (1, 2, 3, 3, 2, 1):
        verdicts.of(number, lambda number=number: validated.append(number))

    assert validated == [1, 2, 3, 1]
    assert len(verdicts) == 2


def test_the_journal_can_be_narrowed(mock):
    mock.get(KNOWN)
    mock.get("/v1/workflows/nowhere")
    mock.get("/v1/credits/balance")

    def paths(**query):
        entries = mock.get("/__mock/journal", params=query).json()["entries"]
        return [entry["path"] for entry in entries]

    assert paths(status=404) == ["/v1/workflows/nowhere"]
    assert paths(path="/v1/cred*") == ["/v1/credits/balance"]
    assert paths(after=2) == ["/v1/credits/balance"]
    assert paths(before=2) == [KNOWN]
    assert paths(after=1, before=3) == ["/v1/workflows/nowhere"]
    assert mock.get("/__mock/journal", params={"after": "x"}).status_code == 400


def test_a_final_run_has_a_validator_and_a_running_one_is_not_stored(mock):
    first = mock.get(KNOWN)
    again = mock.get(KNOWN, headers={"If-None-Match": first.headers["ETag"]})
    other = mock.get(KNOWN, headers={"If-None-Match": '"other"'})
    running = mock.get(mock.post("/__mock/workflows/wf_abc123/runs", json={}).json()["path"])

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["ETag"]) == (
        304,
        b"",
        first.headers["ETag"],
    )
    assert again.headers["RateLimit-Limit"] == "100"
    assert (other.status_code, other.content) == (200, first.content)
    assert (running.headers["Cache-Control"], "ETag" in running.headers) == ("no-store", False)


def test_a_changed_run_has_another_validator(mock):
    first = mock.get(KNOWN)
    mock.patch("/__mock" + KNOWN[3:], json={"duration_ms": None}, params={"force": "true"})

    changed = mock.get(KNOWN, headers={"If-None-Match": first.headers["ETag"]})

    assert changed.status_code == 200
