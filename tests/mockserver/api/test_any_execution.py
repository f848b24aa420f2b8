"""Any execution is served as it was put, and list and variables agree with it."""

import pytest
from hypothesis import HealthCheck, given, settings

from deadringer.contracts.rules import Scope, apply_rules
from deadringer.contracts.testing import assert_keeps_contract
from deadringer.fixtures.strategies import executions
from deadringer.mockserver import DEMO_KEY, Settings, create_app

WORKFLOW = "/workflows/wf_abc123"
CASES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def client():
    client = create_app(Settings(empty=True)).test_client()
    client.environ_base["HTTP_X_API_KEY"] = DEMO_KEY
    return client


@CASES
@given(execution=executions() | executions(edge=True, steps=(0, 5)))
def test_any_execution_that_is_put_is_served_and_listed(client, execution):
    client.post("/__mock/reset")
    path = f"{WORKFLOW}/executions/{execution['run_id']}"

    put = client.put(
        f"/__mock{path}?force=true", json=execution
    )  # edge cases have unusual timestamps
    detail = client.get(f"/v1{path}")
    variables = client.get(f"/v1{path}/variables")
    pages = client.get("/v1/workflows/wf_abc123/executions?page_size=100")

    assert put.status_code == 200, put.text
    assert detail.get_json()["data"] == {**execution, "workflow_id": "wf_abc123"}
    for response in (detail, variables, pages):
        assert_keeps_contract(response)
    rows = pages.get_json()["data"]["executions"]
    (row,) = (one for one in rows if one["run_id"] == execution["run_id"])
    assert apply_rules(Scope.LISTED_RUN, row, detail.get_json()["data"]) == []
