"""A session as JSON, and back: the sum of its events, without repeating them."""

from deadringer.mockserver.state.events import SessionSnapshot, UnreadableSnapshotError

from .sessions import (
    UNREADABLE,
    Beginning,
    Session,
    Starting,
    change,
    problem_of,
    require_known,
)


def snapshot_of(session: Session) -> SessionSnapshot:
    """Return all that a session holds."""
    body = {
        "beginning": session.beginning,
        "begun": session.begun,
        "clock": session.clock.as_json() if session.clock else None,
        "executions": [[*run, document] for run, document in session.executions.items()],
        "started": session.started.as_json(),
        "faults": [*session.faults.values()],
        "contract_faults": session.contract_faults,
        "chaos": session.chaos,
    }
    return SessionSnapshot(session.name, session.generation, body)


def session_of_snapshot(snapshot: SessionSnapshot, begin: Beginning, start: Starting) -> Session:
    """Return the session that a snapshot was made from.

    Raises:
        UnreadableSnapshotError: if it is damaged, or this version does not know its form.
    """
    try:
        return _restored(snapshot, begin, start)
    except UNREADABLE as problem:
        raise UnreadableSnapshotError(snapshot.session, problem_of(problem)) from problem


def _restored(snapshot: SessionSnapshot, begin: Beginning, start: Starting) -> Session:
    body = snapshot.body
    if not isinstance(body, dict):
        raise ValueError("its body is no object")  # noqa: TRY004 - one error for all bodies
    require_known("scenario", body["beginning"])
    session = begin(snapshot.session, body["beginning"])
    session.begun = int(body["begun"])
    session.generation = session.saved = snapshot.number
    for workflow_id, run_id, document in body["executions"]:
        put = {"workflow_id": workflow_id, "run_id": run_id, "execution": document}
        change(session, "put", put)
    for fault in body["faults"]:
        change(session, "fault", fault)
    if body["clock"] is not None:
        change(session, "clock", body["clock"])
    for kind in ("contract_faults", "chaos"):
        if body[kind] is not None:
            change(session, kind, {"value": body[kind]})
    # Runs of another world are planned anew; those of this one are not even looked at.
    for run in session.started.restore(body["started"], session.world):
        held = start(session, run)
        if held is not None:
            session.started.add(held)
            session.started.move(held["run_id"], body["started"]["moved"].get(held["run_id"], 0))
    return session
