"""What the control API refuses: it names what is wrong, and what there is instead."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import KNOWN


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def error_of(response, status):
    assert response.status_code == status, response.text
    return response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("POST", "/__mock/fault", "/__mock/faults"),
        ("GET", "/__mock/clocks", "/__mock/clock"),
        ("GET", "/__mock/faults/", "/__mock/faults"),
        ("PUT", "/__mock/contract-fault/x", "/__mock/contract-faults/{name}"),
        ("GET", "/__mock/ui/journals", "/__mock/ui/journal"),
    ],
)
def test_an_unknown_path_is_404_and_near_ones_are_named(mock, method, path, near):
    error = error_of(mock.request(method, path), 404)

    assert error["code"] == "NOT_FOUND"
    assert near in error["suggestion"].removeprefix("Nearest: ").split(";")[0].split(", ")
    assert "/__mock/openapi.json" in error["suggestion"]


def test_a_wrong_method_on_a_known_path_is_405_and_the_right_ones_are_allowed(mock):
    response = mock.post("/__mock/clock")

    assert error_of(response, 405)["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


def test_where_the_control_api_is_off_that_is_said(over_http, clock):
    mock = over_http(build_app(Settings(control=False), clock=clock))

    assert "--no-control" in error_of(mock.get("/__mock/state"), 404)["suggestion"]


@pytest.mark.parametrize("path", ["/__mock/clock", "/__mock/nowhere", "/__mock/"])
def test_a_preflight_is_answered_anywhere(mock, path):
    response = mock.options(path, headers={"Origin": "http://localhost:5173"})

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_errors_point_to_the_document_that_was_broken(mock):
    of_control = [
        mock.get("/__mock/journal?limit=none"),
        mock.put("/__mock/clock", content=b"{"),
        mock.put("/__mock/clock", json={"nonsense": 1}),
    ]
    of_api = [
        mock.get("/v1/workflows?limit=none"),
        mock.get(KNOWN, headers={"Prefer": "code=400"}),
    ]

    for response in of_control:
        assert error_of(response, 400)["suggestion"].endswith(" /__mock/openapi.json")
    for response in of_api:
        assert error_of(response, 400)["suggestion"].endswith(" with /openapi.json")


def test_that_there_is_nothing_to_take_away_is_said(mock):
    none = error_of(mock.delete("/__mock/faults/fault_x"), 404)
    known = mock.post("/__mock/faults", json={"kind": "hang"}).json()["id"]
    some = error_of(mock.delete("/__mock/faults/fault_x"), 404)

    assert (none["suggestion"], some["suggestion"]) == ("There are none", f"Known: {known}")


def test_an_empty_expectation_is_a_mistake(mock):
    for response in (mock.post("/__mock/verify", json={}), mock.post("/__mock/verify")):
        (line,) = error_of(response, 400)["details"]["errors"]
        assert line.startswith(
            "body: expected at least one member, got {}; add one of: at_least, at_most, "
        )

    assert error_of(mock.post("/__mock/verify", json={"at_least": 1}), 409)


def test_a_clock_is_told_what_to_change(mock):
    for response in (mock.put("/__mock/clock", json={}), mock.put("/__mock/clock")):
        (line,) = error_of(response, 400)["details"]["errors"]
        assert line == "body: expected at least one member, got {}; add one of: now, speed"


@pytest.mark.parametrize(
    ("wanted", "members"),
    [
        ({"operation": "getexecution", "exactly": 0}, ["operation"]),
        ({"at_least": 3, "at_most": 2}, ["at_most"]),
        ({"exactly": 0, "at_most": 2, "operation": ""}, ["operation", "exactly"]),
        ({"at_least": "x", "operation": "x"}, ["at_least", "operation"]),
        ({"operation": "getExecution", "at_least": 0, "at_most": 0}, None),
        ({"method": "get", "exactly": 0}, ["method"]),
        ({"workflow_id": "wf_abc123", "operation": "listWorkflows", "exactly": 0}, ["workflow_id"]),
        ({"run_id": "run_x7k9m2", "operation": "listExecutions", "exactly": 0}, ["run_id"]),
    ],
)
def test_an_expectation_no_count_could_meet_is_a_mistake(mock, wanted, members):
    response = mock.post("/__mock/verify", json=wanted)

    if members is None:
        assert response.json() == {"matched": 0, "verified": True}
    else:
        lines = error_of(response, 400)["details"]["errors"]
        assert [line.split(":")[0] for line in lines] == members


def test_a_ready_scenario_and_a_document_are_one_too_many(mock):
    document = {"summary": "Mine."}

    both = mock.put("/__mock/scenario", json={"name": "quiet-day", "document": document})
    (line,) = error_of(both, 400)["details"]["errors"]
    named = mock.put("/__mock/scenario", json={"name": "mine", "document": document})

    assert line.startswith("name: 'quiet-day' is the name of a bundled scenario")
    assert named.json()["scenario"] == "mine"


@pytest.mark.parametrize("form", ["__delay", "__status", "__steps", "__fault", "__codes"])
@pytest.mark.parametrize("headers", [{}, {"Prefer": "code=404"}])
def test_a_query_form_that_is_none_is_told_and_the_four_are_named(mock, form, headers):
    response = mock.get(KNOWN, params={form: "1"}, headers=headers)

    (line,) = error_of(response, 400)["details"]["errors"]
    assert line.startswith(f"query/{form}: ")
    assert "__code, __example, __dynamic, __seed, or the header Prefer" in line
