"""The page of a run shows what the API returns, with contract faults too."""

from functools import partial

import pytest
from flask import Flask

from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.admin.ui.api_view import ApiLists
from deadringer.mockserver.api.in_process import InProcessApi
from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS

RUNS = {one.name: one.execution for one in load_recordings()}
# Every eighth fault; all of them take half a minute.
FAULTS = [
    pytest.param(CONTRACT_FAULTS[::8], id="some"),
    pytest.param(CONTRACT_FAULTS, id="all", marks=pytest.mark.slow),
]
LOOKED_AT = ("documented_example", "crm_refuses_contact")
OF_HEADERS = {"remaining-above-limit", "reset-as-epoch", "remaining-rises", "limits-missing"}
"""Faults that change the `RateLimit` headers of every response, and nothing else."""


def ids_of(name):
    run = RUNS[name]
    return run["workflow_id"], run["run_id"]


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(rate_limit="report"), clock=clock))


def looked_at(mock, name):
    workflow_id, run_id = ids_of(name)
    return mock.get(f"/__mock/ui/runs/{workflow_id}/{run_id}/data").json()


def response_of(mock, name):
    workflow_id, run_id = ids_of(name)
    return mock.get(f"/v1/workflows/{workflow_id}/executions/{run_id}")


def test_without_a_fault_nothing_is_said(mock):
    looked = looked_at(mock, "documented_example")

    assert looked["execution"] == RUNS["documented_example"]
    assert (looked["note"], looked["violations"]) == ("", [])


def test_a_broken_run_is_shown_broken_and_says_why(mock):
    mock.put("/__mock/contract-faults/duration-in-seconds")
    looked = looked_at(mock, "documented_example")
    page = mock.get("/__mock/ui/runs/{}/{}".format(*ids_of("documented_example"))).text

    assert looked["execution"]["duration_ms"] == 4
    assert "duration_is_end_minus_start" in {one["rule"] for one in looked["violations"]}
    assert "duration-in-seconds" in looked["note"]
    assert '"duration_ms":4,' in page
    assert "duration_is_end_minus_start" in page


def test_where_the_api_gives_no_run_the_page_shows_the_true_one_and_says_so(mock):
    mock.put("/__mock/contract-faults/failed-runs-crash")
    looked = looked_at(mock, "loop_fails_half_way")

    assert looked["execution"] == RUNS["loop_fails_half_way"]
    assert "failed-runs-crash. The API returns 500" in looked["note"]


@pytest.mark.parametrize("faults", FAULTS)
def test_every_fault_is_shown_as_the_api_has_it(mock, faults):
    for fault in faults:
        mock.delete("/__mock/contract-faults").raise_for_status()
        true = {name: response_of(mock, name) for name in LOOKED_AT}
        mock.put(f"/__mock/contract-faults/{fault.name}").raise_for_status()
        for name in LOOKED_AT:
            response_of(mock, name)  # some bugs show from the second read on
            looked, response = looked_at(mock, name), response_of(mock, name)
            message = _data(response)
            is_run = (
                response.status_code == 200 and isinstance(message, dict) and "run_id" in message
            )
            assert looked["execution"] == (message if is_run else RUNS[name]), fault.name
            assert (fault.name in looked["note"]) == _differs(response, true[name], fault)


def _differs(response, true, fault):
    message, expected = (
        (one.status_code, one.content, one.headers["Content-Type"]) for one in (response, true)
    )
    return message != expected or fault.name in OF_HEADERS


def _data(response):
    try:
        return response.json().get("data")
    except (ValueError, AttributeError):
        return None


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("page", [1, 3])
def test_every_fault_in_a_list_is_shown_as_the_api_has_it(over_http, clock, page, faults):
    app = build_app(Settings(rate_limit="report"), clock=clock)
    mock, service = over_http(app), app.extensions[EXTENSION]
    api = InProcessApi(partial(Flask.wsgi_app, app), service)
    path = f"/v1/workflows/wf_def456/executions?page={page}&page_size=25"
    true = mock.get(path).json()["data"]["executions"]
    for fault in faults:
        mock.delete("/__mock/contract-faults").raise_for_status()
        mock.put(f"/__mock/contract-faults/{fault.name}").raise_for_status()
        mock.get(path)
        lists = ApiLists(api, service.snapshot())
        shown = [row.run for row in lists.page("wf_def456", (page - 1) * 25, 25)]
        response = mock.get(path)
        message = _data(response)
        listed = message.get("executions") if isinstance(message, dict) else None
        assert shown == (true if listed is None else listed), fault.name
        assert listed == true or fault.name in lists.remark, fault.name


def test_faults_that_leave_no_place_for_each_other_break_neither_api_nor_page(mock):
    for name in ("finished-row-without-end", "list-duration-in-seconds", "recovered-names"):
        mock.put(f"/__mock/contract-faults/{name}")

    assert mock.get("/v1/workflows/wf_abc123/executions").status_code == 200
    assert mock.get("/__mock/ui/runs?workflow=wf_abc123").status_code == 200
