"""`assert_keeps_contract` with every kind of response and document."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import flask
import httpx
import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from deadringer.contracts.rules import Scope, rule_named
from deadringer.contracts.testing import assert_keeps_contract
from deadringer.fixtures import (
    enveloped,
    generate,
    load_recordings,
    load_workflows,
    violable_rules,
    violating_execution,
)
from deadringer.fixtures.generator.violations import violating_run
from deadringer.mockserver import DEMO_KEY, create_app
from deadringer.mockserver.testing.client import ExecutionApi
from deadringer.mockserver.testing.process import run_mock

HEADERS = {"x-api-key": DEMO_KEY}
RECORDED = next(one for one in load_recordings() if one.name == "documented_example").execution
PATH = "/v1/workflows/wf_abc123/executions/run_x7k9m2"
NEEDS_MORE = {"operations_are_in_the_catalogue"}  # the catalogue is in no document
E1 = {"code": "NOT_FOUND", "message": "No such run", "details": None, "suggestion": None}


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExecutionApi]:
    with run_mock((), tmp_path_factory.mktemp("mock") / "log.txt") as running:
        yield running.api


def of_flask(path: str, headers: dict[str, str]):
    return create_app().test_client().get(path, headers=headers)


def of_starlette(path: str, headers: dict[str, str]):
    """Return the mock's response, sent by a Starlette application."""
    response = of_flask(path, headers)

    async def page(_request):
        limits = {name: value for name, value in response.headers.items() if "Limit" in name}
        return JSONResponse(response.get_json(), response.status_code, limits)

    app = Starlette(routes=[Route("/{rest:path}", page)])
    return TestClient(app).get(path, headers=headers)


LIBRARIES = ["httpx", "requests", "flask", "starlette"]


@pytest.fixture
def get(request: pytest.FixtureRequest):
    """Return a function that gets a path of the mock with the named library."""
    if request.param in {"flask", "starlette"}:
        return {"flask": of_flask, "starlette": of_starlette}[request.param]
    url = request.getfixturevalue("mock").base_url
    library = {"httpx": httpx, "requests": requests}[request.param]
    return lambda path, headers: library.get(url + path, headers=headers)


@pytest.mark.parametrize("get", LIBRARIES, indirect=True)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PATH, 200),
        (PATH + "x", 404),
        ("/v1/workflows/wf_abc123/executions?page=2&page_size=3", 200),
        ("/v1/workflows/actions?category=ai", 200),
        ("/v1/credits/balance", 200),
    ],
)
def test_what_the_mock_answers_keeps_the_contract(get, path, status):
    response = get(path, HEADERS)

    assert response.status_code == status
    assert_keeps_contract(response, fail_on="warning")


@pytest.mark.parametrize("get", LIBRARIES, indirect=True)
def test_an_answer_is_judged_with_its_request(get):
    response = get(PATH, {})
    assert response.status_code == 401
    assert_keeps_contract(response)

    response.status_code = 200
    with pytest.raises(AssertionError, match="success_goes_with_the_status") as failed:
        assert_keeps_contract(response)

    assert f"GET {PATH} -> 200" in str(failed.value)
    assert "requests_without_good_key_are_refused" in str(failed.value)


@pytest.mark.parametrize("library", [httpx, requests])
def test_the_run_that_was_asked_for_is_told_by_the_decoded_path(mock, library):
    run = mock.put({**RECORDED, "run_id": "run é ?"})

    response = library.get(run.url, headers=HEADERS)

    assert response.status_code == 200
    assert_keeps_contract(response)


def response_of(body: object, status: int = 200, media_type: str = "application/json"):
    """Return the response of another application, at a path the contract does not know."""
    app = flask.Flask("another")
    text = body if isinstance(body, str) else json.dumps(body)
    app.add_url_rule(
        "/runs/latest", view_func=lambda: flask.Response(text, status, mimetype=media_type)
    )
    return app.test_client().get("/runs/latest")


def test_a_path_of_ones_own_is_judged_by_its_document():
    assert_keeps_contract(response_of(enveloped(RECORDED)))
    assert_keeps_contract(response_of(RECORDED))
    assert_keeps_contract(response_of([RECORDED, RECORDED]))
    assert_keeps_contract(response_of({"success": False, "error": E1}, 404))

    with pytest.raises(AssertionError, match="failed_run_says_why"):
        assert_keeps_contract(response_of({**RECORDED, "status": "failed"}), fail_on="warning")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (response_of("<p>Oops", 500, "text/html"), "answers_are_json"),
        (response_of({"success": False, "error": E1}, 200), "success_goes_with_the_status"),
        (response_of({"hello": "world"}), "unrecognized document"),
    ],
    ids=["no JSON", "a success that is none", "something else"],
)
def test_a_path_of_ones_own_can_break_it(response, message):
    with pytest.raises(AssertionError, match=message):
        assert_keeps_contract(response)


@pytest.mark.parametrize(
    "document",
    [
        RECORDED,
        enveloped(RECORDED),
        [RECORDED, enveloped(RECORDED)],
        of_flask("/v1/workflows/wf_abc123/executions", HEADERS).get_json(),
        of_flask("/v1/workflows/wf_abc123/executions", HEADERS).get_json()["data"],
        {"success": False, "error": E1},
        {"message": "Unauthorized", "error": "Invalid or missing API key"},
        {"success": False, "message": "Rate limit exceeded.", "error": "RATE_LIMIT_EXCEEDED"},
        generate(1, edge=True, status="completed"),
    ],
    ids=["execution", "envelope", "array", "list", "page", "E1", "E2", "E3", "edge"],
)
def test_documents_that_keep_it(document):
    before = copy.deepcopy(document)

    assert_keeps_contract(document)

    assert document == before


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (enveloped({**RECORDED, "duration_ms": 4}), "at        /data/duration_ms"),
        ([RECORDED, {**RECORDED, "duration_ms": 4}], "at        /1/duration_ms"),
        ({"success": False, "error": {**E1, "message": 3}}, "at        /error/message"),
        ({"success": False, "error": 3}, "at        /error"),
        ({}, "unrecognized document"),
    ],
    ids=["envelope", "array", "E1", "no error", "empty"],
)
def test_documents_that_break_it(document, message):
    with pytest.raises(AssertionError) as failed:
        assert_keeps_contract(document)

    assert message in str(failed.value)


@pytest.mark.parametrize("rule", [one.name for one in violable_rules()])
def test_every_violated_rule_is_named(rule):
    if rule in NEEDS_MORE:
        return
    run = violating_run(5, rule)
    is_about_definition = rule_named(rule).group == "definition"
    definition = run.workflow if is_about_definition or rule.endswith("known_steps") else None

    with pytest.raises(AssertionError) as failed:
        assert_keeps_contract(run.execution, definition=definition, fail_on="warning")

    assert f"{rule_named(rule).id} {rule}\n" in str(failed.value)


def test_a_warning_passes_unless_it_is_asked_for():
    (rule,) = [one for one in violable_rules() if one.name == "timestamps_have_the_documented_form"]
    assert rule.scope is Scope.EXECUTION
    document = violating_execution(1, rule.name)

    assert_keeps_contract(document)
    with pytest.raises(AssertionError, match="warning DR017"):
        assert_keeps_contract(document, fail_on="warning")


def test_many_breaches_are_cut():
    with pytest.raises(AssertionError) as failed:
        assert_keeps_contract([{**RECORDED, "duration_ms": 4}] * 14)

    assert str(failed.value).startswith("14 violations of the contract")
    assert str(failed.value).endswith("and 4 more")


def test_another_operations_answer_is_judged_by_its_name():
    response = {"success": True, "message": "OK", "data": load_workflows()[0]}

    assert_keeps_contract(response, operation_id="getWorkflow")
    with pytest.raises(AssertionError, match=r"at +/data/enabled"):
        assert_keeps_contract(
            {**response, "data": {**response["data"], "enabled": "yes"}}, operation_id="getWorkflow"
        )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "int is neither a response nor parsed JSON"),
        (("{}",), TypeError, "str is neither"),
        ((Path(),), TypeError, "neither a response"),
    ],
)
def test_what_is_neither_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        assert_keeps_contract(*arguments)


@pytest.mark.parametrize("name", ["fail_on", "operation_id"])
def test_a_value_there_is_not_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match=f"{name}='maybe' is not one of"):
        assert_keeps_contract(RECORDED, **{name: "maybe"})
