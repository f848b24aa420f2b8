"""A session as JSON, and back: the sum of its events, without repeating them."""

from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.events import SessionSnapshot

from .sessions import Beginning, Session, Starting


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
    """Return the session that a snapshot was made from."""
    body = snapshot.body
    session = begin(snapshot.session, body["beginning"])
    session.begun = body["begun"]
    session.generation = session.saved = snapshot.number
    session.clock = VirtualClock.from_json(body["clock"]) if body["clock"] else None
    session.executions = {(row[0], row[1]): row[2] for row in body["executions"]}
    session.faults = {fault["id"]: fault for fault in body["faults"]}
    chosen = body["contract_faults"]
    session.contract_faults = None if chosen is None else tuple(chosen)
    session.chaos = body["chaos"]
    # Runs of another world are planned anew; those of this one are not even looked at.
    for run in session.started.restore(body["started"], session.world):
        held = start(session, run)
        if held is not None:
            session.started.add(held)
            session.started.move(held["run_id"], body["started"]["moved"].get(held["run_id"], 0))
    return session
