"""A Faker factory that follows the rules: linear runs with consistent times and statuses."""

import json
from datetime import UTC, datetime, timedelta

import timing
from faker import Faker

fake = Faker()
OPERATIONS = ("generic_agent", "slack_send_channel_message", "person_enrichment", "http_request")


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _step(number: int, begin: datetime, error: str | None):
    duration_ms = fake.random_int(20, 5_000)
    return {
        "step_id": f"step-{number}",
        "step_name": fake.catch_phrase(),
        "operation": fake.random_element(OPERATIONS),
        "status": "failed" if error else "completed",
        "started_at": _text(begin),
        "ended_at": _text(begin + timedelta(milliseconds=duration_ms)),
        "duration_ms": duration_ms,
        "input": {"prompt": fake.sentence()},
        "output": None if error else {"result": {"output": fake.paragraph()}},
        "mapped_output": None,
        "error": error,
    }


def _execution():
    is_failed = fake.boolean(10)
    begin = fake.date_time_this_year(tzinfo=UTC).replace(microsecond=0)
    now, steps = begin, []
    count = fake.random_int(1, 6)
    for number in range(count):
        error = fake.sentence() if is_failed and number == count - 1 else None
        steps.append(_step(number, now, error))
        now += timedelta(milliseconds=steps[-1]["duration_ms"])
    last = steps[-1]
    error = f"Step '{last['step_name']}' failed: {last['error']}" if is_failed else None
    return {
        "id": f"exec_{fake.uuid4()}",
        "run_id": f"run_{fake.uuid4()}",
        "workflow_id": f"wf_{fake.uuid4()}",
        "status": "failed" if is_failed else "completed",
        "started_at": _text(begin),
        "ended_at": _text(now),
        "duration_ms": round((now - begin).total_seconds() * 1000),
        "event_name": "workflows/webhook",
        "created": _text(begin),
        "column_config": None,
        "steps": steps,
        "error": error,
    }


def documents(_schema):
    """Yield executions as JSON."""
    while True:
        yield json.dumps(_execution())


timing.run(documents)
