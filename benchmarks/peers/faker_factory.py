"""A typical factory with Faker: every member is plausible and drawn independently."""

import json
from datetime import UTC

import timing
from faker import Faker

fake = Faker()
STATUSES = ("running", "completed", "failed")
STEP_STATUSES = ("pending", "running", "completed", "failed", "skipped")
OPERATIONS = ("generic_agent", "slack_send_channel_message", "person_enrichment", "http_request")


def _time() -> str:
    return fake.date_time_this_year(tzinfo=UTC).isoformat(timespec="milliseconds")


def _step():
    return {
        "step_id": fake.slug(),
        "step_name": fake.catch_phrase(),
        "operation": fake.random_element(OPERATIONS),
        "status": fake.random_element(STEP_STATUSES),
        "started_at": _time(),
        "ended_at": _time(),
        "duration_ms": fake.random_int(1, 60_000),
        "input": {"prompt": fake.sentence()},
        "output": {"result": {"output": fake.paragraph()}},
        "mapped_output": None,
        "error": fake.random_element((None, fake.sentence())),
    }


def _execution():
    return {
        "id": f"exec_{fake.uuid4()}",
        "run_id": f"run_{fake.uuid4()}",
        "workflow_id": f"wf_{fake.uuid4()}",
        "status": fake.random_element(STATUSES),
        "started_at": _time(),
        "ended_at": _time(),
        "duration_ms": fake.random_int(1, 600_000),
        "event_name": "workflows/webhook",
        "created": _time(),
        "column_config": None,
        "steps": [_step() for _ in range(fake.random_int(1, 6))],
        "error": fake.random_element((None, fake.sentence())),
    }


def documents(_schema):
    """Yield executions as JSON."""
    while True:
        yield json.dumps(_execution())


timing.run(documents)
