"""Sessions in memory: bounded, exact after a snapshot, and loaded again on demand."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state.events import EVERY_SESSION, UnreadableEventError
from deadringer.mockserver.world.credits import balance_of
from deadringer.mockserver.world.documents import load_executions
from deadringer.mockserver.world.scenarios import load_scenario
from deadringer.mockserver.world.service import Service
from tests.mockserver.conftest import _COMPLETED, DEMO, SettableClock

NAMES = ("", "a", "b", "c", "d")
WORKFLOW = _COMPLETED["workflow_id"]
EXECUTIONS = load_executions(())


class Server:
    """A service that can be stopped and started again over its state file."""

    def __init__(self, clock, **options):
        self.clock = clock
        self.settings = Settings(**options)
        self.start()

    def start(self):
        self.service = Service(self.settings, EXECUTIONS, self.clock)

    def restart(self):
        self.service.close()
        self.start()

    def compact(self):
        self.service._sessions.compact()

    def go_on(self):
        """Do nothing."""


def start(server, name, number):
    snapshot = server.service.snapshot(name)
    drive = ("time", "immediate", "read", "manual")[number % 4]
    wanted = {"drive": drive, "overrides": {"n": number}, "status": None}
    server.service.start_run(snapshot, WORKFLOW, wanted, may_overdraw=True)


def move(server, name, number):
    for run_id in [*server.service.session(name).started][-1:]:
        server.service.change(name, "moved", {"run_id": run_id, "transitions": number})


def put(server, name, number):
    ids = {"workflow_id": WORKFLOW, "run_id": f"run_{number % 3}"}
    document = {**_COMPLETED, **ids, "id": f"exec_{number}"} if number % 4 else None
    server.service.change(name, "put", {**ids, "execution": document})


def set_clock(server, name, number):
    clock = server.service.session_clock(name).moved(server.clock.now(), number)
    server.service.change(name, "clock", clock.as_json() if number % 3 else {})


def add_fault(server, name, number):
    fault = {"id": f"f{number % 3}", "kind": "status", "status": 500 + number}
    server.service.change(name, "fault", fault)


def remove_fault(server, name, number):
    server.service.change(name, "fault_removed", {"id": f"f{number}" if number % 4 else None})


def set_contract_faults(server, name, number):
    value = ["duration-in-seconds", "remaining-rises"][: number % 3]
    server.service.change(name, "contract_faults", {"value": value})


def set_chaos(server, name, number):
    value = ("", "maintenance", "overloaded")[number % 3]
    server.service.change(name, "chaos", {"value": value})


def begin_scenario(server, name, number):
    body = {"clock": None, "started": None, "began": server.service.now(name).isoformat()}
    if number % 2:
        scenario = load_scenario("failing-enrichment", 1)
        body |= {"name": scenario.name, "document": scenario.document}
    server.service.change(name, "scenario", body)


def reset(server, name, number):
    if number > 6:
        server.service.reset_all()
    else:
        server.service.reset(name)


def count(server, name, number):
    server.service.events.count(name, f"fault {number}")


CHANGES = (
    start,
    move,
    put,
    set_clock,
    add_fault,
    remove_fault,
    set_contract_faults,
    set_chaos,
    begin_scenario,
    reset,
    count,
)


def seen_of(service: Service, name: str):
    """Return everything a client can read of a session, and the numbers caches depend on."""
    snapshot, session = service.snapshot(name), service.session(name)
    rows, total = snapshot.rows(WORKFLOW, 0, 50)
    return {
        "rows": [rows, total],
        "runs": [snapshot.find(run.workflow_id, id_) for id_, run in session.started.items()],
        "driven": [(run.drive, run.transitions, run.price) for run in session.started.values()],
        "changed": session.executions,
        "order": [*session.executions, *session.started, *session.faults],
        "faults": session.faults,
        "contract_faults": [
            service.contract_faults(session, snapshot.now),
            session.contract_faults,
        ],
        "chaos": service.chaos(session),
        "clock": service.session_clock(name).described(service.clock.now()),
        "balance": balance_of(session, snapshot.now),
        "scenario": session.scenario,
        "began": [session.began_ms, session.begun, session.generation],
        "counts": [service.events.counted(name, f"fault {number}") for number in range(10)],
    }


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CHANGES),
            st.sampled_from(NAMES),
            st.integers(0, 9),
            st.sampled_from((Server.go_on, Server.compact, Server.restart)),
        ),
        max_size=30,
    )
)
def test_a_snapshot_at_any_place_gives_the_same_world(steps):
    """One server has all sessions in memory; the other has room for two beside the default one.

    It is compacted and restarted where the example requires it.
    """
    clock = SettableClock()
    with TemporaryDirectory() as folder:
        options = {"empty": True, "speed": 2}
        plain = Server(clock, **options, state=Path(folder) / "plain")
        other = Server(clock, **options, state=Path(folder) / "other", max_sessions=2)
        for change, name, number, then in steps:
            clock.advance(number)
            for server in (plain, other):
                change(server, name, number)
            then(other)
        for name in NAMES:
            assert seen_of(plain.service, name) == seen_of(other.service, name)
        assert len(other.service._sessions._sessions) <= 3
        # Changed sessions are listed, in memory or not.
        assert {*plain.service.session_names()} == {*other.service.session_names()}
        plain.service.close()
        other.service.close()


def chaos(service, *names):
    for name in names:
        service.change(name, "chaos", {"value": "maintenance"})


def in_chaos(service, *names):
    return [name for name in names if service.chaos(service.session(name))]


def test_the_least_recently_used_session_leaves_memory_and_begins_anew(clock, caplog):
    service = Service(Settings(max_sessions=2), EXECUTIONS, clock)
    chaos(service, "a", "b")
    service.session("a")
    with caplog.at_level(logging.WARNING, "deadringer"):
        chaos(service, "c")
        assert in_chaos(service, "a", "b", "c") == ["a", "c"]
        chaos(service, "b", "a", "b", "c")

    warnings = [record.getMessage() for record in caplog.records]
    assert warnings[0] == (
        "More than 2 sessions: b was dropped and starts over when it is used again. "
        "Raise --max-sessions, or keep sessions with --state."
    )
    assert len(warnings) == len({*warnings})  # once for each session


def test_with_a_state_file_a_session_that_left_memory_is_loaded_again(tmp_path, clock, caplog):
    state = tmp_path / "state.sqlite"
    server = Server(clock, max_sessions=2, state=state)
    names = [f"s{number}" for number in range(20)]
    chaos(server.service, *names)

    assert len(server.service._sessions._sessions) <= 3
    assert in_chaos(server.service, *names) == names
    assert {*server.service.session_names()} == {"", *names}
    server.restart()
    assert in_chaos(server.service, *names) == names
    assert caplog.records == []
    server.service.close()


def test_what_was_made_from_a_session_that_left_memory_is_out_of_date(clock):
    service = Service(Settings(max_sessions=1), EXECUTIONS, clock)
    chaos(service, "a")
    snapshot = service.snapshot("a")
    assert (service._sessions.holds(snapshot.session), snapshot.generation) == (True, 1)
    chaos(service, "b")

    assert not service._sessions.holds(snapshot.session)
    assert snapshot.session.generation != snapshot.generation


def test_many_events_are_compacted_by_themselves(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("deadringer.mockserver.world.session_cache.COMPACT_AFTER", 50)
    server = Server(clock, state=tmp_path / "state.sqlite")
    for number in range(120):
        put(server, "a", number)

    assert len(list(server.service.events.since(0))) == 20
    before = seen_of(server.service, "a")
    server.restart()
    assert seen_of(server.service, "a") == before
    server.service.close()


def test_runs_of_another_world_are_planned_anew_or_left_out(tmp_path, clock, caplog):
    state = tmp_path / "state.sqlite"
    server = Server(clock, state=state)
    start(server, "", 0)
    server.compact()
    (old,) = server.service.session("").started.values()
    server.service.close()

    other = Server(clock, state=state, seed=2)
    (new,) = other.service.session("").started.values()
    assert (new.run_id, new.started_at) == (old.run_id, old.started_at)
    assert new.plan != old.plan
    other.service.close()


def test_a_full_disk_refuses_changes_and_keeps_those_acknowledged(tmp_path, clock):
    state = tmp_path / "state.sqlite"
    app = build_app(Settings(state=state), clock=clock)
    service = app.extensions[EXTENSION]
    mock = app.test_client()
    service.events._connection.execute("PRAGMA max_page_count = 20")
    acknowledged, refused = [], None
    while refused is None:
        response = mock.post(f"/v1/workflows/{WORKFLOW}/test", headers=DEMO)
        if response.status_code == 200:
            acknowledged.append(response.json["data"]["test_run_id"])
        else:
            refused = response

    assert refused.status_code == 507
    assert refused.json["error"]["code"] == "INSUFFICIENT_STORAGE"
    assert refused.json["error"]["message"] == "cannot write state: no space left"
    assert acknowledged
    assert [*service.session().started] == acknowledged
    assert mock.get(f"/v1/workflows/{WORKFLOW}/executions", headers=DEMO).status_code == 200
    service.close()
    again = Service(Settings(state=state), EXECUTIONS, clock)
    assert [*again.session().started] == acknowledged
    again.close()


def test_a_snapshot_that_cannot_be_written_changes_nothing(tmp_path, clock, monkeypatch):
    server = Server(clock, state=tmp_path / "state.sqlite", max_sessions=1)
    chaos(server.service, "a")

    def full(_snapshots):
        raise ApiError("INSUFFICIENT_STORAGE")

    monkeypatch.setattr(server.service.events, "save", full)
    server.compact()
    chaos(server.service, "b", "c")

    assert in_chaos(server.service, "a", "b", "c") == ["a", "b", "c"]
    monkeypatch.undo()
    server.restart()
    assert in_chaos(server.service, "a", "b", "c") == ["a", "b", "c"]
    server.service.close()


def test_all_sessions_are_reset_at_once_however_many_there_are(tmp_path, clock):
    server = Server(clock, state=tmp_path / "state.sqlite", max_sessions=49)
    names = [f"s{number}" for number in range(200)]
    chaos(server.service, *names)
    clock.advance(60)
    server.service.reset_all()
    chaos(server.service, "s7")

    assert in_chaos(server.service, *names) == ["s7"]
    server.restart()
    assert in_chaos(server.service, *names) == ["s7"]
    assert server.service.session_names() == ["", "s7"]
    server.service.close()


def test_what_came_after_a_reset_of_all_outlives_a_snapshot_and_a_restart(tmp_path, clock):
    server = Server(clock, state=tmp_path / "state.sqlite")
    server.service.reset_all()
    chaos(server.service, "", "a")
    server.compact()
    server.restart()

    assert in_chaos(server.service, "", "a") == ["", "a"]
    server.service.close()


@pytest.mark.parametrize("name", ["", "a"])
def test_the_plan_of_a_run_starts_when_the_run_does(tmp_path, name):
    clock = SettableClock()
    clock.moment = datetime(2026, 3, 27, 10, 15, 0, 123_456, UTC) + timedelta(seconds=7)
    server = Server(clock, state=tmp_path / "state.sqlite")
    for number in range(4):
        start(server, name, number)

    for run in server.service.session(name).started.values():
        assert run.plan.started_at == run.started_at
    server.service.close()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("moved", {"run_id": "r", "transitions": 1.0}),
        ("clock", {"began": "soon", "since": "2026-03-27T10:00:00+00:00", "speed": 1}),
        ("fault", {"id": "f", "kind": "no-such-kind"}),
        ("chaos", {"value": "no-such-mix"}),
        ("reset", {"started": "yesterday"}),
        ("no-such-kind", {}),
    ],
)
def test_a_change_that_no_session_can_take_is_not_kept(tmp_path, clock, kind, body):
    server = Server(clock, state=tmp_path / "state.sqlite")
    add_fault(server, "a", 1)
    newest = server.service.events.newest

    with pytest.raises(UnreadableEventError):
        server.service.change("a", kind, body)

    assert server.service.events.newest == newest
    assert len(server.service.session("a").faults) == 1
    server.restart()
    assert len(server.service.session("a").faults) == 1
    server.service.close()


def test_a_bad_reset_of_all_is_not_kept(clock):
    service = Service(Settings(), EXECUTIONS, clock)

    with pytest.raises(UnreadableEventError):
        service.change(EVERY_SESSION, "reset_all", {"started": "yesterday"})

    assert service.snapshot("").session.name == ""


@pytest.mark.parametrize("is_durable", [False, True])
def test_one_session_is_kept_beside_the_nameless_one(tmp_path, clock, is_durable):
    state = tmp_path / "state.sqlite" if is_durable else None
    service = Service(Settings(max_sessions=1, state=state), EXECUTIONS, clock)

    chaos(service, "")
    chaos(service, "a")

    assert in_chaos(service, "", "a") == ["", "a"]
    service.close()
