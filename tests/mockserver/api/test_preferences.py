"""Preferences of the Prefer header: statuses, content, and reserved ids."""

import pytest

from deadringer.contracts import documented_codes, operations
from deadringer.contracts.rules import Context, validate_execution
from deadringer.contracts.testing import assert_keeps_contract
from deadringer.mockserver.context import parse_preferences
from tests.mockserver.conftest import KNOWN

(GET_EXECUTION,) = (item for item in operations() if item.operation_id == "getExecution")
DOCUMENTED = sorted(GET_EXECUTION.described["responses"])
ERRORS = [status for status in DOCUMENTED if status != "200"]


@pytest.mark.parametrize("status", ERRORS)
def test_a_preferred_error_is_answered_with_a_documented_code(client, status):
    response = client.get(KNOWN, headers={"Prefer": f"code={status}"})

    content = GET_EXECUTION.described["responses"][status]
    assert response.status_code == int(status)
    assert response.headers["Preference-Applied"] == f"code={status}"
    assert response.json()["error"]["code"] in str(resolved(content))


def test_a_preferred_429_tells_how_long_to_wait(client):
    response = client.get(KNOWN, headers={"Prefer": "code=429"})

    assert response.headers["Retry-After"] == response.headers["RateLimit-Reset"]
    assert response.json()["error"]["retryAfterSeconds"] == int(response.headers["Retry-After"])


def test_a_preferred_200_is_the_ordinary_answer(client):
    plain, preferred = client.get(KNOWN), client.get(KNOWN, headers={"Prefer": "code=200"})

    assert preferred.content == plain.content


@pytest.mark.parametrize("value", ["299", "abc", "", "-1", "4040", "9" * 5_000])
def test_an_impossible_status_is_400_and_the_documented_ones_are_named(client, value):
    response = client.get(KNOWN, headers={"Prefer": f"code={value}"})

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["details"]["errors"] == [
        f"Prefer: code={value[:40]} is not a documented status; use one of: {', '.join(DOCUMENTED)}"
    ]
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (status, code)
        for status, codes in documented_codes("getExecution").items()
        for code in codes
    ],
)
def test_a_preferred_error_code_comes_with_its_status(client, status, code):
    response = client.get(KNOWN, headers={"Prefer": f"error={code}"})

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.headers["Preference-Applied"] == f"error={code}"


def test_a_preferred_error_code_precedes_a_reserved_id(client):
    path = "/v1/workflows/wf_abc123/executions/run_503"

    response = client.get(path, headers={"Prefer": "error=TOKEN_EXPIRED"})

    assert response.status_code == 401


def test_an_error_code_that_the_operation_does_not_document_is_400(client):
    response = client.get("/v1/credits/balance", headers={"Prefer": "error=NOT_FOUND"})

    assert response.status_code == 400
    (line,) = response.json()["error"]["details"]["errors"]
    assert line.startswith("Prefer: error=NOT_FOUND is not possible; use one of: AUTH_REQUIRED,")


def test_preferences_we_do_not_know_are_ignored(client):
    response = client.get(KNOWN, headers={"Prefer": "respond-async, wait=10, return=minimal"})

    assert response.status_code == 200


def test_a_preference_does_not_open_the_door(keyless):
    assert keyless.get(KNOWN, headers={"Prefer": "code=404"}).status_code == 401


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", {}),
        ("code=404", {"code": "404"}),
        ('CODE="404"', {"code": "404"}),
        (" code = 404 ; why=x , wait=10", {"code": "404", "wait": "10"}),
        ("respond-async,code=500", {"respond-async": "", "code": "500"}),
        ("code=404, code=500", {"code": "404"}),
        ('note="a, \\"b\\"; code=500", code=404', {"note": 'a, "b"; code=500', "code": "404"}),
        (",,=,;", {}),
    ],
)
def test_the_header_is_read_as_rfc_7240_says(header, preferences):
    assert parse_preferences(header) == preferences


def resolved(node):
    """Return the response object of a local reference in the bundled specification."""
    from deadringer.contracts import bundle_specification

    if "$ref" not in node:
        return node
    found = bundle_specification()
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


WORKFLOW = "/v1/workflows/wf_abc123"
OVER_IDS = [
    (f"{WORKFLOW}/executions/run_404", "status=failed", (200, "failed")),
    (f"{WORKFLOW}/executions/run_404", "code=200", (200, "completed")),
    (f"{WORKFLOW}/executions/run_503", "status=running", (200, "running")),
    (f"{WORKFLOW}/executions/run_empty_reply", "seed=7", (200, "completed")),
    (f"{WORKFLOW}/executions/run_no_steps", "status=completed", (200, "completed")),
    (f"{WORKFLOW}/executions/run_failed", "example=documented_example", (200, "completed")),
    (f"{WORKFLOW}/executions/run_failed", "seed=7", (200, "failed")),
    (f"{WORKFLOW}/executions/run_failed", "code=404", (404, None)),
    (f"{WORKFLOW}/executions/run_404", "fault=error-503", (503, None)),
    ("/v1/workflows/wf_503/executions/run_any", "status=failed", (200, "failed")),
    (f"{WORKFLOW}/executions/run_any", "code=404, fault=error-503", (503, None)),
    ("/v1/workflows/wf_503/executions/run_failed", "", (200, "failed")),
    ("/v1/workflows/wf_404/executions/run_any", "dynamic=true", (200, "completed")),
    (f"{WORKFLOW}/executions/run_no_steps", "dynamic=false", (200, "failed")),
    (f"{WORKFLOW}/executions/run_503", "dynamic=false", (503, None)),
    (f"{WORKFLOW}/executions/run_503/variables", "status=failed", (200, "failed")),
    ("/v1/workflows/wf_503/executions", "seed=7", (503, None)),
    ("/v1/workflows/wf_503", "status=failed", (503, None)),
    ("/v1/workflows/wf_503/executions/run_failed/variables", "", (200, "failed")),
    ("/v1/workflows/wf_empty_reply/executions/run_any", "code=200", (200, "completed")),
]


@pytest.mark.parametrize(("path", "prefer", "expected"), OVER_IDS)
def test_a_preference_goes_before_what_an_id_means(client, path, prefer, expected):
    response = client.get(path, headers={"Prefer": prefer})

    status = response.json().get("data", {}).get("status")
    assert (response.status_code, status) == expected


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.operation_id)
def test_a_preferred_200_is_given_where_there_is_nothing(client, operation):
    path = operation.path.replace("{id}", "wf_nowhere").replace("{runId}", "run_nowhere")

    response = client.request(operation.method, path, headers={"Prefer": "code=200"})

    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "code=200")
    assert_keeps_contract(response)
    data = response.json()["data"]
    requested = {"run_id": "run_nowhere", "workflow_id": "wf_nowhere"}
    assert {name: data[name] for name in requested if name in data}.items() <= requested.items()


def test_a_status_that_was_not_given_is_not_called_honoured(client):
    refused = client.get(f"{WORKFLOW}/executions?page=0", headers={"Prefer": "code=200"})

    assert refused.status_code == 400
    assert "Preference-Applied" not in refused.headers


@pytest.mark.parametrize("prefer", ["seed=7", "dynamic=true", "example=documented_example"])
def test_a_test_run_is_not_started_past_an_error_by_what_it_does_not_honour(client, prefer):
    response = client.post("/v1/workflows/wf_503/test", headers={"Prefer": prefer})

    assert response.status_code == 503


@pytest.mark.parametrize(
    ("path", "prefer", "honoured"),
    [
        (KNOWN, "fault=duration-in-seconds", "fault=duration-in-seconds"),
        (KNOWN, "fault=duration-in-seconds, code=404", "code=404"),
        (KNOWN, "status=failed, code=404", "code=404"),
        (f"{WORKFLOW}/executions/run_nowhere", "fault=duration-in-seconds", None),
    ],
)
def test_what_left_the_answer_as_it_was_is_not_called_honoured(client, path, prefer, honoured):
    response = client.get(path, headers={"Prefer": prefer})

    assert response.headers.get("Preference-Applied") == honoured


def test_a_preferred_200_of_a_known_workflow_follows_its_definition(client):
    definition = client.get("/v1/workflows/wf_def456").json()["data"]["workflow"]

    response = client.get(
        "/v1/workflows/wf_def456/executions/run_nowhere", headers={"Prefer": "code=200"}
    )

    assert response.status_code == 200
    assert validate_execution(response.json()["data"], Context(definition=definition)) == []
