"""Reads the mock with the functions that openapi-python-client generates."""

import json
import sys
from datetime import datetime

from generated_client import Client
from generated_client.api.executions import get_execution, list_executions
from generated_client.models import (
    APIError,
    CompletedExecution,
    Error401HomePageForm,
    Error429RateLimitPageForm,
    ExecutionListResponse,
    ExecutionResponse,
    FailedExecution,
    RunningExecution,
    RunningExecutionRow,
)

_, url, key = sys.argv
WORKFLOW = "wf_def456"


def outcome(run: RunningExecution | CompletedExecution | FailedExecution) -> str | None:
    end: datetime = run.ended_at  # type: ignore[assignment]  # it may be null
    del end
    if isinstance(run, CompletedExecution):
        return run.ended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(run, FailedExecution):
        return run.error.strip()
    return run.ended_at


def client(sent: str) -> Client:
    return Client(base_url=url, headers={"x-api-key": sent})


def read(run_id: str, sent: str = key) -> str | None:
    parsed = get_execution.sync(WORKFLOW, run_id, client=client(sent))
    if isinstance(parsed, ExecutionResponse):
        return outcome(parsed.data)
    if isinstance(parsed, Error401HomePageForm | Error429RateLimitPageForm):
        return parsed.error
    assert isinstance(parsed, APIError)
    return parsed.error.code


listed = list_executions.sync(WORKFLOW, client=client(key))
assert isinstance(listed, ExecutionListResponse)
rows = listed.data.executions
read_runs = {
    "completed": read("run_b7h2k9"),
    "failed": read("run_p3n8q1"),
    "running": read("run_d2p5w8"),
    "ended": [
        "" if isinstance(row, RunningExecutionRow) else row.completed_at.date().isoformat()
        for row in rows
    ],
    "unauthorized": read("run_b7h2k9", "wrong"),
    "unknown": read("run_none"),
    "limited": read("run_429"),
}
sys.stdout.write(json.dumps(read_runs))
