"""Situations that two reads of one run show: it ends, it vanishes, a retry succeeds."""

from .model import (
    CONTROL_ROOT,
    DocumentedRequest,
    RunRead,
    Situation,
    patches,
    path_of,
    reads,
)

_STARTED = ("wf_abc123", "run_a1b2c3")
_EXAMPLE = path_of("wf_abc123", "run_x7k9m2")
_END = {
    "status": "failed",
    "ended_at": "2026-03-27T10:30:00.500Z",
    "duration_ms": 500,
    "error": "Not enough credits to start the first step",
}
_LOST_RUNS = {
    "summary": "Failed runs are listed and cannot be read.",
    "world": {"runs_per_workflow": 0},
    "contract_faults": [{"name": "failed-runs-lost"}],
}


def _ends(before: RunRead, now: RunRead) -> bool:
    return before.run_status == "running" and now.run_status in {"completed", "failed"}


def _goes_on(before: RunRead, now: RunRead) -> bool:
    return before.run_status == now.run_status == "running"


def _is_retried(before: RunRead, now: RunRead) -> bool:
    has_failed = before.failure is not None or before.status == 429 or before.status >= 500
    return has_failed and now.failure is None and now.status == 200


def _appears(before: RunRead, now: RunRead) -> bool:
    return before.status == 404 and now.status == 200


def _is_lost(before: RunRead, now: RunRead) -> bool:
    return before.is_listed and now.status == 404


SERIES_SITUATIONS = (
    Situation(
        "running_then_finished",
        "A run that is running at first and then finished",
        "Polling has to notice the end, and stop.",
        "rule `status_only_moves_forward`",
        (
            *reads(*_STARTED),
            patches(*_STARTED, _END),
            *reads(*_STARTED),
        ),
        matches_after=_ends,
    ),
    Situation(
        "still_running",
        "A run that is still running at the second read",
        "Polling has to go on.",
        "rule `status_only_moves_forward`",
        reads(*_STARTED) * 2,
        matches_after=_goes_on,
    ),
    Situation(
        "retry_succeeds",
        "A read that fails and succeeds when it is repeated",
        "A client that retries 429, 5xx and broken connections recovers by itself.",
        "`openapi.yaml`, responses RateLimited, ServerError and Unavailable",
        (
            DocumentedRequest(
                f"{CONTROL_ROOT}faults", "POST", body={"kind": "status", "status": 503, "count": 1}
            ),
            *(DocumentedRequest(_EXAMPLE),) * 2,
        ),
        matches_after=_is_retried,
    ),
    Situation(
        "not_found_at_first",
        "A run that is a 404 at first and then readable",
        "A run that was just started may get 404 for a short time.",
        "`openapi.yaml`, Execution Detail",
        (
            DocumentedRequest(_EXAMPLE, headers={"Prefer": "code=404"}),
            DocumentedRequest(_EXAMPLE),
        ),
        matches_after=_appears,
    ),
    Situation(
        "listed_but_not_found",
        "A run that is in the list and a 404 on its own",
        "A link in the list leads to nothing.",
        "`openapi.yaml`, Execution Detail; client code",
        (
            DocumentedRequest(
                f"{CONTROL_ROOT}scenario", "PUT", body={"name": "lost-runs", "document": _LOST_RUNS}
            ),
            DocumentedRequest("/v1/workflows/wf_def456/executions"),
            *reads("wf_def456", "run_p3n8q1"),
        ),
        matches_after=_is_lost,
    ),
)
