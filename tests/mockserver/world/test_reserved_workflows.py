"""Reserved workflow ids: one situation at every operation with a workflow id."""

import pytest

from deadringer.contracts import operations
from deadringer.contracts.rules import Context, validate_execution
from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.world.repository import row_of
from deadringer.mockserver.world.reserved_ids import RESERVED_RUNS, RESERVED_WORKFLOWS
from tests.mockserver.conftest import DEMO

UNDER_A_WORKFLOW = [one for one in operations() if "{id}" in one.path]
CODES = [name for name, reserved in RESERVED_WORKFLOWS.items() if "code" in reserved.preferences]
WITH_RUNS = [name for name, reserved in RESERVED_WORKFLOWS.items() if not reserved.preferences]
ENDING = {"wf_completed": "completed", "wf_failed": "failed", "wf_running_forever": "running"}


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(rate_limit="off"), clock=clock))


def data(mock, path):
    response = mock.get(path)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def rows_of(mock, name, **query):
    response = mock.get(f"/v1/workflows/{name}/executions", params=query)
    return response.json()["data"]["executions"]


@pytest.mark.parametrize("name", CODES)
def test_a_code_is_answered_by_every_operation_under_the_id(mock, name):
    for operation in UNDER_A_WORKFLOW:
        path = operation.path.replace("{id}", name).replace("{runId}", "run_any")

        response = mock.request(operation.method, path)

        assert response.status_code == int(name.removeprefix("wf_")), operation.operation_id
        assert str(response.status_code) in operation.described["responses"]
        assert response.json()["success"] is False


@pytest.mark.parametrize("name", ["wf_500", "wf_503"])
def test_a_failing_server_fails_at_every_operation(mock, name):
    for operation in UNDER_A_WORKFLOW:
        path = operation.path.replace("{id}", name).replace("{runId}", "run_any")

        assert mock.request(operation.method, path).status_code == int(name[3:])


@pytest.mark.parametrize("name", WITH_RUNS)
def test_definition_list_and_detail_agree_and_keep_the_contract(mock, name):
    workflow = data(mock, f"/v1/workflows/{name}")
    listed = mock.get(f"/v1/workflows/{name}/executions").json()["data"]

    assert (workflow["id"], workflow["execution_count"]) == (
        name,
        listed["pagination"]["total_count"],
    )
    for row in listed["executions"][:4]:
        run = data(mock, f"/v1/workflows/{name}/executions/{row['run_id']}")
        assert row == row_of(run)
        assert validate_execution(run, Context(definition=workflow["workflow"])) == []


@pytest.mark.parametrize(("name", "status"), ENDING.items())
def test_every_run_stands_as_the_id_says_and_a_test_run_ends_so(mock, name, status):
    assert {row["status"] for row in rows_of(mock, name, page_size=100)} == {status}

    started = mock.post(f"/v1/workflows/{name}/test").json()["data"]["test_run_id"]
    mock.post("/__mock/clock/advance", json={"seconds": 86_400})

    assert rows_of(mock, name, page_size=1)[0]["run_id"] == started
    run = data(mock, f"/v1/workflows/{name}/executions/{started}")
    assert run["status"] == status


def test_one_has_no_runs_and_one_has_fifty_pages(mock):
    assert rows_of(mock, "wf_no_runs") == []
    assert len(rows_of(mock, "wf_many_runs", page=50)) == 20
    assert {row["status"] for row in rows_of(mock, "wf_many_runs", page_size=100)} == {
        "completed",
        "failed",
    }


def test_a_slow_one_answers_in_the_end():
    client = build_app(Settings(log_format="off")).test_client()

    response = client.get("/v1/workflows/wf_slow/executions", headers=DEMO)

    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "delay=3000")
    assert response.json["data"]["executions"]


def test_a_spoilt_answer_is_no_json(mock):
    response = mock.get("/v1/workflows/wf_malformed")

    assert response.headers["Preference-Applied"] == "fault=malformed"
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        response.json()


def test_reserved_runs_mean_the_same_under_a_reserved_workflow(mock):
    path = "/v1/workflows/wf_failed/executions"

    assert data(mock, f"{path}/run_completed")["status"] == "completed"
    assert mock.get(f"{path}/run_404").status_code == 404
    assert mock.get("/v1/workflows/wf_404/executions/run_429").status_code == 429


def test_a_preference_goes_before_what_the_id_means(mock):
    response = mock.get("/v1/workflows/wf_404", headers={"Prefer": "code=200"})

    assert response.status_code == 200


def test_they_stand_in_no_list_and_need_a_key(mock):
    listed = data(mock, "/v1/workflows?limit=100")["items"]

    assert RESERVED_WORKFLOWS.keys().isdisjoint(one["id"] for one in listed)
    assert mock.get("/v1/workflows/wf_429", headers={"x-api-key": ""}).status_code == 401


def test_a_workflow_that_is_served_keeps_its_id(over_http, clock):
    own = {
        "id": "wf_404",
        "name": "Own",
        "workflow": {
            "trigger": {"kind": "workflows/new-post", "inputs": {}},
            "actions": [{"id": "notify", "kind": "slack_send_channel_message"}],
            "edges": [{"from": "$source", "to": "notify"}],
        },
    }
    mock = over_http(build_app(Settings(rate_limit="off"), clock=clock))
    document = {"summary": "One of its own.", "workflows": [own]}
    assert mock.put("/__mock/scenario", json={"document": document}).status_code == 200

    assert data(mock, "/v1/workflows/wf_404")["name"] == "Own"
    assert data(mock, "/v1/workflows/wf_404/executions/run_failed")["status"] == "failed"


def test_a_started_run_is_kept_by_a_reset_of_others_only(mock):
    started = mock.post("/v1/workflows/wf_failed/test").json()["data"]["test_run_id"]
    path = f"/v1/workflows/wf_failed/executions/{started}"

    assert mock.get(path).status_code == 200
    assert mock.get(path, headers={"X-Mock-Session": "other"}).status_code == 404
    mock.post("/__mock/reset")
    assert mock.get(path).status_code == 404


@pytest.mark.parametrize("name", ENDING)
def test_the_run_of_a_row_has_a_page(mock, name):
    run_id = rows_of(mock, name, page_size=1)[0]["run_id"]

    page = mock.get(f"/__mock/ui/runs/{name}/{run_id}")
    message = mock.get(f"/__mock/ui/runs/{name}/{run_id}/data").json()

    assert page.status_code == 200
    assert message["execution"]["status"] == ENDING[name]


@pytest.mark.parametrize("run_id", RESERVED_RUNS)
def test_a_reserved_run_has_a_page_that_shows_what_the_api_gives(mock, run_id):
    path = f"/v1/workflows/wf_def456/executions/{run_id}"
    message = mock.get(f"/__mock/ui/runs/wf_def456/{run_id}/data").json()

    assert message["note"].startswith("A reserved id")
    assert message["execution"]["run_id"] == run_id
    if not {"code", "fault", "delay"} & RESERVED_RUNS[run_id].keys():
        assert message["execution"] == data(mock, path)
    assert mock.get(f"/__mock/ui/runs/wf_unknown/{run_id}").status_code == 404


def test_the_page_of_a_reserved_workflow_says_what_the_api_does(mock):
    page = mock.get("/__mock/ui/runs?workflow=wf_503").text

    assert "The API responds with the fault error-503; this is the run behind it." in page
    assert "A reserved id." not in mock.get("/__mock/ui/runs?workflow=wf_completed").text


def variables_of(execution):
    return {
        "run_id": execution["run_id"],
        "status": execution["status"],
        "halted_at": None,
        "steps": {
            step["step_id"]: {"input": step["input"], "output": step["output"]}
            for step in execution["steps"]
        },
    }


@pytest.mark.parametrize("workflow_id", ["wf_abc123", "wf_failed", "wf_no_runs"])
@pytest.mark.parametrize("run_id", RESERVED_RUNS)
def test_variables_of_a_reserved_run_agree_with_its_detail(mock, workflow_id, run_id):
    path = f"/v1/workflows/{workflow_id}/executions/{run_id}"
    content = {"Prefer": "code=200, delay=0"} if "status" in RESERVED_RUNS[run_id] else {}

    detail = mock.get(path, headers=content).json()["data"]
    variables = mock.get(f"{path}/variables", headers=content).json()["data"]

    assert variables == variables_of(detail)


@pytest.mark.parametrize(
    "run_id", ["run_400", "run_401", "run_403", "run_404", "run_429", "run_500", "run_503"]
)
def test_variables_of_a_reserved_run_fail_as_its_detail_does(mock, run_id):
    path = f"/v1/workflows/wf_abc123/executions/{run_id}"

    detail, variables = mock.get(path), mock.get(f"{path}/variables")

    assert (variables.status_code, variables.json()) == (detail.status_code, detail.json())
    assert variables.headers.get("Retry-After") == detail.headers.get("Retry-After")


@pytest.mark.parametrize("name", WITH_RUNS)
def test_variables_of_the_runs_of_a_reserved_workflow_agree_with_their_detail(mock, name):
    for row in rows_of(mock, name, page_size=5):
        path = f"/v1/workflows/{name}/executions/{row['run_id']}"
        assert data(mock, f"{path}/variables") == variables_of(data(mock, path))


@pytest.mark.parametrize(
    "prefer", ["status=failed", "status=running", "seed=7", "example=very_large_output", "steps=30"]
)
def test_variables_of_a_preferred_run_agree_with_its_detail(mock, prefer):
    path = "/v1/workflows/wf_abc123/executions/run_x7k9m2"

    detail, variables = (
        mock.get(one, headers={"Prefer": prefer}) for one in (path, f"{path}/variables")
    )

    assert variables.json()["data"] == variables_of(detail.json()["data"])
    assert variables.headers["Preference-Applied"] == detail.headers["Preference-Applied"]
