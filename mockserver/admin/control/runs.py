"""Live runs: start and advance them."""

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.documents import NamedRun
from deadringer.mockserver.world.scenarios import Scenario, nameable, runs_by_name

from .context import ControlContext, refused, require_known

_PLACEMENT = {"workflow_id", "run_id", "at_s", "times", "every_s"}
"""Members that place a run in its scenario; the others describe the run."""


def start_live_run(control: ControlContext, id: str) -> tuple[JsonObject, int]:  # noqa: A002 - named by the path
    """Start a live run."""
    snapshot = control.snapshot
    require_known(id, snapshot.repository.workflows, "workflow")
    wanted = {**_of_scenario(control, id), **control.body}
    run = control.service.start_run(snapshot, id, wanted, may_overdraw=True)
    named = NamedRun("", "", run.plan.status, id, run.run_id)
    ids = {"workflow_id": id, "run_id": run.run_id}
    return {**ids, "path": named.path, "drive": run.drive}, 201


def _of_scenario(control: ControlContext, workflow_id: str) -> JsonObject:
    """Remove `scenario` and `run` from the body; return the members of that scenario's run."""
    body = control.body
    name, run = body.pop("scenario", None), body.pop("run", None)
    current = control.session.scenario
    if name is None and run is None:
        return {}
    known = nameable(current, control.service.settings.seed)
    scenario = known.get(name) if name is not None else current
    if scenario is None:
        problem = "is unknown" if name is not None else "is missing: the session has no scenario"
        raise refused("scenario", problem, f"Use one of {', '.join(known)}")
    runs = {
        run_name: one
        for run_name, one in runs_by_name(scenario).items()
        if one["workflow_id"] == workflow_id
    }
    if not runs or run not in {None, *runs}:
        problem = "is unknown" if runs else f"has none in {scenario.name}"
        raise refused("run", problem, _runs_to_start(scenario))
    entry = runs[run] if run is not None else next(iter(runs.values()))
    left_out = _PLACEMENT if "status" not in body else {*_PLACEMENT, "fails_at"}
    return {member: value for member, value in entry.items() if member not in left_out}


def _runs_to_start(scenario: Scenario) -> str:
    listed = [f"{name} of {one['workflow_id']}" for name, one in runs_by_name(scenario).items()]
    return f"Runs of {scenario.name}: {', '.join(listed) or 'none'}"


def advance_run(control: ControlContext, id: str, run_id: str) -> JsonObject:  # noqa: A002 - named by the path
    """Advance a run whose drive is `manual` or `read`."""
    run = control.session.started.get(run_id)
    if run is None or run.workflow_id != id or run.drive not in {"manual", "read"}:
        raise ApiError(
            "NOT_FOUND",
            "There is no such run with drive manual or read",
            'Start one with {"drive": "manual"}',
        )
    count = control.body.get("transitions", 1)
    control.change("moved", {"run_id": run_id, "transitions": count})
    found = control.snapshot.find(id, run_id)
    if found is None:
        raise ApiError(
            "NOT_FOUND", "The run no longer exists", "The session was reset; start another"
        )
    return found.execution
