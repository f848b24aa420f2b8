"""Parses responses of the mock with the models that datamodel-code-generator generates."""

import json
import sys
from datetime import datetime

import httpx
from generated_models import (
    ApiError,
    CompletedExecution,
    ErrorRateLimited,
    ErrorRateLimitedLegacy,
    ErrorUnauthorized,
    ErrorUnauthorizedLegacy,
    Execution,
    ExecutionEnvelope,
    ExecutionListEnvelope,
    FailedExecution,
    RunningExecutionRow,
)

_, url, key = sys.argv
WORKFLOW = f"{url}/v1/workflows/wf_def456/executions"


def outcome(execution: Execution) -> str | None:
    run = execution.root
    end: datetime = run.ended_at  # type: ignore[assignment]  # it may be null
    del end
    if isinstance(run, CompletedExecution):
        return run.ended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(run, FailedExecution):
        return run.error.strip()
    return run.ended_at


def read(run_id: str, sent: str = key) -> str | None:
    response = httpx.get(f"{WORKFLOW}/{run_id}", headers={"x-api-key": sent})
    if response.status_code == 200:
        return outcome(ExecutionEnvelope.model_validate_json(response.text).data)
    error = error_in(response)
    return error.error.code if isinstance(error, ApiError) else error.error


def error_in(
    response: httpx.Response,
) -> ApiError | ErrorUnauthorizedLegacy | ErrorRateLimitedLegacy:
    if response.status_code == 401:
        return ErrorUnauthorized.model_validate_json(response.text).root
    if response.status_code == 429:
        return ErrorRateLimited.model_validate_json(response.text).root
    return ApiError.model_validate_json(response.text)


page = httpx.get(WORKFLOW, headers={"x-api-key": key})
rows = ExecutionListEnvelope.model_validate_json(page.text).data.executions
read_runs = {
    "completed": read("run_b7h2k9"),
    "failed": read("run_p3n8q1"),
    "running": read("run_d2p5w8"),
    "ended": [
        ""
        if isinstance(row.root, RunningExecutionRow)
        else row.root.completed_at.date().isoformat()
        for row in rows
    ],
    "unauthorized": read("run_b7h2k9", "wrong"),
    "unknown": read("run_none"),
    "limited": read("run_429"),
}
sys.stdout.write(json.dumps(read_runs))
