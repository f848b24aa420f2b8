"""A session as JSON and back: the result of its events, without replaying them."""

import json

from deadringer.contracts import JsonObject
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.events import Snapshot

from .sessions import Beginning, Session, StartedRun, Starting


def snapshot_of(session: Session) -> Snapshot:
    """Return everything a session holds.

    Runs are stored as columns, and members that several runs share once: there may be very many.
    """
    workflows, shared = _Table(), _Table()
    runs = [*session.started.values()]
    places = [_shared_place(run, shared) for run in runs]
    body = {
        "beginning": session.beginning,
        "begun": session.begun,
        "clock": session.clock.as_json() if session.clock else None,
        "executions": [[*run, document] for run, document in session.executions.items()],
        "shared": [
            [{**one, "workflow": None}, workflows.place(one["workflow"])] for one in shared.values
        ],
        "workflows": workflows.values,
        "run_ids": [run.run_id for run in runs],
        "started": [run.at for run in runs],
        "places": places,
        "moved": {run.run_id: run.transitions for run in runs if run.transitions},
        "faults": [*session.faults.values()],
        "contract_faults": session.contract_faults,
        "chaos": session.chaos,
    }
    return Snapshot(session.name, session.generation, body)


def session_of_snapshot(snapshot: Snapshot, begin: Beginning, start: Starting) -> Session:
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
    _restore_runs(session, body, start)
    return session


def _restore_runs(session: Session, body: JsonObject, start: Starting) -> None:
    for shared, place in body["shared"]:
        shared["workflow"] = body["workflows"][place]
    every = [shared for shared, _place in body["shared"]]
    # Runs of this world are not checked one by one, which matters where there are very many.
    is_of_this_world = all(shared["world"] == session.world for shared in every)
    make_plan, started = session.make_plan, session.started
    columns = zip(body["run_ids"], body["started"], body["places"], strict=True)
    for run_id, at, place in columns:
        run: StartedRun | None = StartedRun(run_id, at, every[place], make_plan)
        if not is_of_this_world:
            run = start(session, {**every[place], "run_id": run_id, "started_at": at})
        if run is not None:
            started[run_id] = run
    for run_id, transitions in body["moved"].items():
        if run_id in started:
            started[run_id].transitions = transitions


def _shared_place(run: StartedRun, table: "_Table") -> int:
    place = table.place(run.shared)
    run.shared = table.values[place]  # equal bodies are one object in memory, too
    return place


class _Table:
    """Objects by content: equal objects share one place."""

    def __init__(self) -> None:
        self.values: list[JsonObject] = []
        self._by_identity: dict[int, int] = {}
        self._by_text: dict[str, int] = {}

    def place(self, value: JsonObject) -> int:
        """Return the index of an object, which is added if there is none that equals it."""
        place = self._by_identity.get(id(value))
        if place is None:
            text = json.dumps(value, sort_keys=True)
            place = self._by_text.setdefault(text, len(self.values))
            if place == len(self.values):
                self.values.append(value)
            # Only objects the table holds: the id of any other object may be reused.
            self._by_identity[id(self.values[place])] = place
        return place
