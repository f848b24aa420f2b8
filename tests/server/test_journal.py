"""The journal: what was asked and answered, and whether that is what was expected."""

import pytest

from mockserver import DEMO_KEY, Settings
from mockserver.app import build_app
from mockserver.journal import Journal
from tests.server.conftest import KNOWN


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def test_it_holds_both_sides_newest_first_and_no_key(mock):
    mock.get(KNOWN, headers={"Prefer": "code=404"})
    mock.post("/v1/workflows/wf_abc123/test", json={"overrides": {"likes": "many"}})

    answer = mock.get("/__mock/journal")
    last, first = answer.json()["entries"]

    assert (first["path"], first["status"], first["preferences"]) == (KNOWN, 404, ["code=404"])
    assert "NOT_FOUND" in first["answer"]["body"]
    assert "many" in last["request"]["body"]
    assert len(last["request_breaches"]) >= (last["status"] == 400)
    assert DEMO_KEY not in answer.text


def test_a_bad_request_is_marked(mock):
    mock.get("/v1/workflows/wf_abc123/executions", params={"page": 0})

    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert "query/page" in entry["request_breaches"][0]


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


def test_sessions_and_reset_have_journals_of_their_own(mock):
    mock.get(KNOWN, headers={"X-Mock-Session": "one"})
    mock.get(KNOWN)
    mock.post("/__mock/reset")

    other = mock.get("/__mock/journal", headers={"X-Mock-Session": "one"}).json()
    assert (mock.get("/__mock/journal").json()["total"], other["total"]) == (0, 1)


def test_it_is_bounded():
    journal = Journal(limit=3)
    for _ in range(5):
        journal.add({"session": ""})

    assert [entry["number"] for entry in journal.entries("")] == [5, 4, 3]
