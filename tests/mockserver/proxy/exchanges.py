"""Exchanges with a real service, made up for the tests of recordings."""

import json
from dataclasses import replace
from typing import Any

from deadringer.contracts import Exchange, json_bytes
from deadringer.contracts.documents import har_document, har_entry
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.specification import operation_at
from deadringer.fixtures import load_recordings, load_workflows

KEY = "trig_a_real_key_of_a_customer"
RUN = load_recordings()[0].execution | {"workflow_id": "wf_real", "run_id": "run_real"}
RUNNING = RUN | {
    "status": "running",
    "ended_at": None,
    "duration_ms": None,
    "steps": [],
}
WORKFLOW = load_workflows()[0] | {"id": "wf_real", "name": "The name in the real service"}
RUN_PATH = "/v1/workflows/wf_real/executions/run_real"


def exchange(path: str, data: object = None, *, method: str = "GET", **changes: Any) -> Exchange:
    """Return a successful exchange with this `data`; `changes` are fields of Exchange."""
    found = operation_at(method, path)
    assert found
    operation, _path, parameters = found
    good = Exchange(
        method=method,
        path=path,
        status=200,
        operation_id=operation.operation_id,
        path_parameters=parameters,
        request_headers={"x-api-key": KEY},
        response_headers={"content-type": "application/json"},
        response_body=json_bytes({"success": True, "message": "ok", "data": data}),
        sent_at_s=1_774_606_500.0,
        elapsed_s=0.01,
    )
    return replace(good, **changes)


def har_text(*exchanges: Exchange) -> str:
    """Return the HAR of exchanges, a second apart."""
    entries = [
        har_entry(
            replace(one, sent_at_s=one.sent_at_s + number), "https://api.test", SecretRedactor(())
        )
        for number, one in enumerate(exchanges)
    ]
    return json.dumps(har_document(entries))
