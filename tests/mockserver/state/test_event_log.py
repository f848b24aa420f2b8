"""The event log: what every implementation guarantees, and what a state file adds to it."""

import json
import sqlite3
from uuid import uuid4

import pytest

from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.state import open_event_log
from deadringer.mockserver.state.events import (
    EVERY_SESSION,
    ChangedMeanwhileError,
    SessionSnapshot,
)
from deadringer.mockserver.state.redis_url import parse_redis_url


@pytest.fixture(params=["memory", "sqlite", "redis"])
def log(request, tmp_path):
    place = None
    if request.param == "sqlite":
        place = tmp_path / "state.sqlite"
    if request.param == "redis":
        place = parse_redis_url(request.getfixturevalue("redis_server").url(uuid4().hex))
    opened = open_event_log(place)
    yield opened
    opened.close()


def kinds(log, after=0):
    return [(event.number, event.session, event.kind) for event in log.since(after)]


def test_events_are_read_in_the_order_they_were_added(log):
    numbers = [log.add("a", "chaos", {"value": ""}), log.add("b", "put", {"x": "é\ud800"})]

    assert numbers == [1, 2]
    assert log.newest == 2
    assert kinds(log) == [(1, "a", "chaos"), (2, "b", "put")]
    assert next(log.since(1)).body == {"x": "é\ud800"}


def test_counters_rise_and_end_with_their_session(log):
    counted = [log.count("a", "x") for _ in range(3)]
    log.count("b", "x")
    log.add("a", "reset", {})

    assert counted == [0, 1, 2]
    assert (log.counted("a", "x"), log.counted("b", "x")) == (0, 1)
    log.add(EVERY_SESSION, "reset_all", {})
    assert log.counted("b", "x") == 0


def test_the_first_value_of_a_name_stays(log):
    assert [log.set_once("began", value) for value in ("one", "two")] == ["one", "one"]


def test_a_change_made_for_an_older_state_is_not_added(log):
    first = log.add("a", "chaos", {"value": ""})
    log.add("b", "chaos", {"value": ""})
    second = log.add("a", "chaos", {"value": ""}, after=first)

    with pytest.raises(ChangedMeanwhileError):
        log.add("a", "chaos", {"value": "maintenance"}, after=first)
    log.save([SessionSnapshot("a", second, {})])
    with pytest.raises(ChangedMeanwhileError):
        log.add("a", "chaos", {"value": "maintenance"}, after=first)
    every = log.add(EVERY_SESSION, "reset_all", {})
    with pytest.raises(ChangedMeanwhileError):
        log.add("a", "chaos", {"value": "maintenance"}, after=second)
    assert log.add("a", "chaos", {"value": ""}, after=every) == every + 1
    assert log.newest == every + 1


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state.sqlite"


def test_a_beginning_removes_what_was_before_it(state):
    log = open_event_log(state)
    for session in ("a", "b"):
        log.add(session, "chaos", {"value": ""})
    log.save([SessionSnapshot("a", 1, {"of": "a"})])
    log.add("a", "reset", {})

    assert log.load("a") is None
    assert kinds(log) == [(2, "b", "chaos"), (3, "a", "reset")]
    log.add(EVERY_SESSION, "reset_all", {})
    assert [kind for _, _, kind in kinds(log)] == ["reset_all"]
    log.close()


def test_a_snapshot_takes_the_place_of_its_events_and_numbers_go_on(state):
    log = open_event_log(state)
    for value in ("one", "two", "three"):
        log.add("a", "chaos", {"value": value})
    log.save([SessionSnapshot("a", 2, {"chaos": "two"})])
    assert kinds(log) == [(3, "a", "chaos")]
    log.save([SessionSnapshot("a", 3, {"chaos": "three"})])
    log.close()

    again = open_event_log(state)
    assert again.newest == 3
    assert again.load("a") == SessionSnapshot("a", 3, {"chaos": "three"})
    assert (again.load("b"), again.saved_names()) == (None, ["a"])
    assert again.add("a", "chaos", {"value": "four"}) == 4
    again.close()


def fill_the_disk(log) -> None:
    """Let no page be added: SQLite reports what it reports on a full disk."""
    (pages,) = log._connection.execute("PRAGMA page_count").fetchone()
    log._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_on_a_full_disk_what_was_not_written_has_not_happened(state):
    log = open_event_log(state)
    log.add("a", "chaos", {"value": "stored"})
    fill_the_disk(log)

    with pytest.raises(ApiError) as refused:
        log.add("a", "put", {"execution": "x" * 100_000})
    with pytest.raises(ApiError):
        log.save([SessionSnapshot("a", 1, {"of": "x" * 100_000})])

    assert refused.value.kind.code == "INSUFFICIENT_STORAGE"
    assert refused.value.message == "cannot write state: no space left"
    assert kinds(log) == [(1, "a", "chaos")]
    assert log.newest == 1
    log._connection.execute("PRAGMA max_page_count = 1000000")
    assert log.add("a", "chaos", {"value": "again"}) == 2
    log.close()


def test_a_file_has_one_server_at_a_time(state):
    log = open_event_log(state)
    with pytest.raises(StartError, match="is locked by another deadringer server"):
        open_event_log(state)
    log.close()
    open_event_log(state).close()


def test_a_file_of_another_format_is_refused(state):
    open_event_log(state).close()
    with sqlite3.connect(state) as file:
        file.execute("UPDATE about SET value = '1' WHERE name = 'format'")
    file.close()

    with pytest.raises(StartError, match="has format 1, this version writes 3"):
        open_event_log(state)


def write_event(state, kind: str, body: str) -> None:
    """Write an event as another version might."""
    open_event_log(state).close()
    with sqlite3.connect(state) as file:
        file.execute("INSERT INTO events (session, kind, body) VALUES ('', ?, ?)", (kind, body))
    file.close()


UNREADABLE = {
    "an unknown kind": ("teleport", "{}", "the kind is unknown; known are reset, scenario"),
    "no JSON": ("put", "{", "its body is no JSON"),
    "no object": ("put", "[]", "its body is no object"),
    "a member is missing": ("moved", '{"run_id": "r"}', "its body lacks transitions"),
    "an unknown member": ("chaos", '{"value": "", "x": 1}', "unknown member x"),
    "a wrong type": ("moved", '{"run_id": "r", "transitions": "1"}', "transitions of its body is"),
    "an unknown fault": ("fault", '{"id": "f", "kind": "quake"}', "'quake' is unknown"),
    "unknown chaos": ("chaos", '{"value": "quake"}', "the mix of faults 'quake' is unknown"),
    "an unknown contract fault": ("contract_faults", '{"value": ["quake"]}', "quake"),
    "no time": ("reset", '{"started": "noon"}', "noon"),
    "documents": ("documents", "{}", "documents"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_event_that_is_not_known_stops_the_start(refused_start, state, name):
    kind, body, reason = UNREADABLE[name]
    write_event(state, kind, body)

    refused = refused_start("--port", "0", "--state", str(state))

    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"deadringer: State file {state}: event 1 of kind {kind!r}: ")
    assert reason in line
    assert line.endswith("or delete it to start over.")


def test_the_event_log_in_memory_keeps_no_event_that_was_taken():
    log = open_event_log(None)
    for number in range(1000):
        log.add("a", "chaos", {"value": json.dumps(number)})
        assert len(list(log.since(number))) == 1

    assert len(log._pending) == 1
