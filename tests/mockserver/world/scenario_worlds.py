"""Shared by tests of scenarios: a document, and functions that read its world."""

from typing import Any

from httpx import Client

OWN: dict[str, Any] = {
    "summary": "One workflow of its own.",
    "world": {"workflows": [], "recorded": False, "runs_per_workflow": 0},
    "workflows": [
        {
            "id": "wf_own",
            "name": "Own",
            "workflow": {
                "trigger": {"kind": "workflows/new-post", "inputs": {}},
                "actions": [
                    {"id": "notify", "kind": "slack_send_channel_message", "name": "Notify"}
                ],
                "edges": [{"from": "$source", "to": "notify"}],
            },
        }
    ],
    "runs": [
        {"workflow_id": "wf_own", "run_id": "run_before", "at_s": -60, "duration_ms": 1000},
        {"workflow_id": "wf_own", "run_id": "run_later", "at_s": 60, "status": "failed"},
    ],
    "contract_faults": [{"name": "duration-in-seconds", "from_s": 100, "until_s": 200}],
}


def rows_of(client: Client, workflow_id: str, **query: Any) -> Any:
    response = client.get(f"/v1/workflows/{workflow_id}/executions", params=query)
    return response.json()["data"]


def workflows_of(client: Client) -> list[str]:
    items = client.get("/v1/workflows", params={"limit": 100}).json()["data"]["items"]
    return [one["id"] for one in items]


def detail(client: Client, workflow_id: str, run_id: str) -> Any:
    return client.get(f"/v1/workflows/{workflow_id}/executions/{run_id}").json()["data"]


def advance(client: Client, seconds: float) -> None:
    client.post("/__mock/clock/advance", json={"seconds": seconds})


def patiently(client: Client, path: str) -> Any:
    """Return the first response without a fault."""
    while (response := client.get(path)).status_code in {429, 503}:
        pass
    return response.json()["data"]


def every_row(client: Client, workflow_id: str) -> list[Any]:
    rows: list[Any] = []
    page = 1
    path = f"/v1/workflows/{workflow_id}/executions?page_size=100&page="
    while found := patiently(client, f"{path}{page}")["executions"]:
        rows, page = [*rows, *found], page + 1
    return rows


def refused_lines(client: Client, document: Any) -> Any:
    response = client.put("/__mock/scenario", json={"document": document})
    assert response.status_code == 400
    return response.json()["error"]["details"]["errors"]
