"""The state of a session, and its reset."""

from deadringer.contracts import JsonObject

from .clock import get_clock
from .context import ControlContext


def get_state(control: ControlContext) -> JsonObject:
    """Return the changes of the session."""
    session, service = control.session, control.service
    return {
        "session": session.name,
        "seed": service.settings.seed,
        "clock": get_clock(control),
        "faults": list(session.faults.values()),
        "contract_faults": list(service.contract_faults(session, service.now(session.name))),
        "chaos": service.chaos(session) or None,
        "scenario": session.scenario.name if session.scenario else None,
        "started_runs": [
            {"workflow_id": run.workflow_id, "run_id": name, "drive": run.drive}
            for name, run in [*session.started.items()]
        ],
        "changed_executions": [
            {"workflow_id": ids[0], "run_id": ids[1], "change": "put" if one else "deleted"}
            for ids, one in [*session.executions.items()]
        ],
    }


def reset_session(control: ControlContext) -> JsonObject:
    """Reset the session as if the server had been started now, its clock included.

    Its journal and its coverage are empty, its rate windows are new, its scenario starts over.
    `all=true` resets every session. A proxy also forgets what it compares later responses with.
    """
    if control.traffic is not None:
        control.traffic.forget()
    if control.query["all"] == "true":
        control.journal.clear_all()
        control.coverage.reset_all()
        control.service.reset_all()
    else:
        control.journal.clear(control.session_name)
        control.coverage.reset(control.session_name)
        control.service.reset(control.session_name)
    return get_state(control)
