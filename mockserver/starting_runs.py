"""Starts runs in a session: for Test Workflow and for the control API."""

from contracts import JsonObject, format_timestamp

from .credits import credits_left
from .errors import ApiError
from .service import Scene, Service
from .sessions import StartedRun


def start_run(
    service: Service,
    scene: Scene,
    workflow_id: str,
    wanted: JsonObject,
    *,
    may_overdraw: bool = False,
) -> StartedRun:
    """Start a run of a known workflow now; the run is safe once this returns.

    `wanted` may hold status, fails_at, steps, duration_ms, overrides, action_mocks and drive.

    Raises:
        ApiError: VALIDATION_ERROR if the workflow never lists that many steps, or a run that
            never ends is to have a duration; INSUFFICIENT_CREDITS if it costs more than is left.
    """
    # Counted in the store: others may start a run of this session at the same moment.
    ordinal = service.store.count(scene.session.name, "started")
    run_id = scene.family.new_run_id(workflow_id, ordinal, scene.now)
    body = {
        **{name: value for name, value in wanted.items() if value not in (None, {})},
        "workflow_id": workflow_id,
        "run_id": run_id,
        "started_at": format_timestamp(scene.now),
        # Documents may change: what was started goes on as it began.
        "workflow": scene.family.workflows[workflow_id],
    }
    try:
        plan, price = scene.family.plan_started(body)
    except ValueError as problem:
        raise ApiError(
            "VALIDATION_ERROR",
            "The run cannot be planned",
            "Leave out what cannot be; other numbers of steps need a workflow with a loop",
            details={"errors": [str(problem)]},
        ) from problem
    left = credits_left(scene.session, scene.now)
    if price > left and not may_overdraw:
        raise ApiError(
            "INSUFFICIENT_CREDITS",
            f"The run costs {price:g} credits, {left:g} are left",
            "Mock actions in test_config.action_mocks, wait for next_reset, or POST /__mock/reset",
        )
    started = service.change(scene.session.name, "started", body).started.get(run_id)
    # Somebody may have reset the session in between: then the run has been, and is gone.
    return started or StartedRun(plan, body.get("drive", "time"))
