"""Responses of the mock by the kind of document in them, as different as it can make them."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from flask.testing import FlaskClient

from deadringer.contracts import Json, JsonObject
from deadringer.mockserver import DEMO_KEY, Settings, create_app

KEY = {"x-api-key": DEMO_KEY}
TIMES = ("2026-03-27T10:30:00Z", "2026-08-02T23:59:59.500Z", "2027-01-01T00:00:03Z")
PAGES = ((1, 100), (1, 1), (1, 7), (2, 3), (3, 20), (40, 20), (1000, 100))
CODES = (400, 401, 403, 404, 429, 500, 503)
PATHS = (
    *("/v1/workflows", "/v1/workflows/actions", "/v1/credits/balance", "/v1/workflows/wf_abc123"),
    *("/v1/workflows/wf_abc123/executions", "/v1/workflows/wf_def456/executions"),
    *("/v1/workflows/wf_abc123/executions/run_x7k9m2", "/v1/workflows/wf_def456"),
)
CATEGORIES = (
    *("ai", "enrichment", "crm", "messaging", "social", "control_flow", "utility", "integration"),
    *("other", "control-flow", "integrations", "utilities", "database"),
)
LISTED = 20
"""So many of the listed runs of each workflow are read."""
RESERVED = ("run_running_forever", "run_failed", "run_no_steps")

Samples = dict[str, list[Json]]


def responses(seeds: range) -> Samples:
    """Return bodies of responses of the mock of each seed, by kind; the first has recordings only.

    What was requested stands beside a body (`path`, `query`, `status`). Elements of arrays are
    documents of their own, beside the scalar members of what holds them (`run`).
    """
    samples: Samples = defaultdict(list)
    for seed in seeds:
        is_first = seed == seeds[0]
        settings = Settings(seed=seed, freeze=TIMES[seed % len(TIMES)], empty=is_first)
        for kind, document in _of_one_mock(create_app(settings).test_client()):
            samples[kind].append(document)
    return samples


def _of_one_mock(client: FlaskClient) -> Iterator[tuple[str, Json]]:
    ids = {"wf_no_runs"}
    for offset, limit in product((0, 1, 5, 100), (1, 4, 100)):
        query = {"limit": limit, "offset": offset}
        body = _get(client, "/v1/workflows", **query)
        yield "workflow page", {"query": query, **body}
        ids |= {one["id"] for one in body["data"]["items"]}
    for identifier in sorted(ids):
        body = _get(client, f"/v1/workflows/{identifier}")
        yield "workflow", {"path": {"id": identifier}, **body}
        yield "balance", _get(client, "/v1/credits/balance")
        yield from _of_workflow(client, identifier)
    for category in CATEGORIES:
        body = _get(client, "/v1/workflows/actions", category=category)
        yield "catalogue", {"query": {"category": category}, **body}
        yield from (
            ("action", {"query": {"category": category}, **one}) for one in body["data"]["items"]
        )
    yield from _errors(client)


def _of_workflow(client: FlaskClient, identifier: str) -> Iterator[tuple[str, Json]]:
    path = f"/v1/workflows/{identifier}/executions"
    rows: dict[str, JsonObject] = {}
    for page, size in PAGES:
        body = _get(client, path, page=page, page_size=size)
        yield "run page", {"query": {"page": page, "page_size": size}, **body}
        rows |= {row["run_id"]: row for row in body["data"]["executions"]}
    for run_id in (*[*rows][:LISTED], *RESERVED):
        body = _get(client, f"{path}/{run_id}")
        run = _scalars(body["data"])
        variables = _get(client, f"{path}/{run_id}/variables")["data"]
        yield "run", {"path": {"id": identifier, "runId": run_id}, **body}
        yield "variables", {"run": run, "variables": _scalars(variables)}
        yield from (("step", {"run": run, "step": step}) for step in body["data"]["steps"])
        if run_id in rows:
            yield "row", {"row": rows[run_id], "run": run}


def _errors(client: FlaskClient) -> Iterator[tuple[str, Json]]:
    for code, path in product(CODES, PATHS):
        response = client.get(path, headers={**KEY, "Prefer": f"code={code}"})
        yield "error", {"status": f"status {response.status_code}", **response.get_json()}


def _get(client: FlaskClient, path: str, **query: object) -> JsonObject:
    response = client.get(path, headers=KEY, query_string=query)
    assert response.status_code == 200, path
    body: JsonObject = response.get_json()
    return body


def _scalars(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if not isinstance(value, list | dict)}
