"""State on a Redis server: several logs of one name are one log."""

import logging
import re
import signal
import sys
import threading
import time
from uuid import uuid4

import pytest

from deadringer.contracts import exact_json_bytes, read_json
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.state import open_event_log, redis_lease
from deadringer.mockserver.state.events import (
    EVERY_SESSION,
    EventsGoneError,
    SessionSnapshot,
    StateUnreachableError,
)
from deadringer.mockserver.state.redis_url import parse_redis_url
from tests.mockserver.redis_server import RedisServer


@pytest.fixture
def name():
    return uuid4().hex


@pytest.fixture
def open_log(redis_server, name):
    """Open logs of the test's name, each as a replica would."""
    opened = []

    def open_one(server=redis_server):
        opened.append(open_event_log(parse_redis_url(server.url(name))))
        return opened[-1]

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def own_server(tmp_path):
    """A Redis server that the test may kill."""
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def forgetful_server(tmp_path):
    """A Redis server that loses what came after its last snapshot."""
    server = RedisServer(tmp_path, "--appendonly", "no")
    yield server
    server.stop()


def kinds(log, after=0):
    return [(event.number, event.session, event.kind) for event in log.since(after)]


def test_replicas_know_an_event_when_it_is_acknowledged(open_log):
    one, other = open_log(), open_log()

    for number in range(1, 101):
        writer, reader = (one, other) if number % 2 else (other, one)
        assert writer.add("a", "chaos", {"value": ""}) == number
        assert reader.is_current
        assert reader.newest == number
    assert kinds(one) == kinds(other)
    assert len(kinds(one)) == 100


@pytest.fixture
def stand_still(monkeypatch):
    """Let the thread that follows for a log stand still; return what lets it go on."""

    def stop(log):
        stuck, go_on = threading.Event(), threading.Event()
        renewed = log._lease._renewed

        def wait():
            stuck.set()
            assert go_on.wait(20)
            return renewed()

        monkeypatch.setattr(log._lease, "_renewed", wait)
        assert stuck.wait(5)
        return go_on

    return stop


@pytest.mark.slow
def test_a_replica_that_does_not_follow_is_fenced_off(open_log, stand_still):
    one, other = open_log(), open_log()
    go_on = stand_still(other)
    began = time.monotonic()
    one.add("a", "chaos", {"value": ""})

    assert 0.3 < time.monotonic() - began < 3 * redis_lease.LEASE_S
    assert not other.is_current
    go_on.set()
    other.refresh()
    assert (other.is_current, other.newest) == (True, 1)


@pytest.mark.slow
def test_after_redis_stood_still_writers_wait_for_ended_leases(open_log, own_server, stand_still):
    one, other = open_log(own_server), open_log(own_server)
    go_on = stand_still(other)
    own_server.process.send_signal(signal.SIGSTOP)
    time.sleep(redis_lease.LEASE_S + 0.5)
    own_server.process.send_signal(signal.SIGCONT)
    writer = threading.Thread(target=one.add, args=("a", "chaos", {"value": ""}))
    writer.start()
    writer.join(0.5)

    assert writer.is_alive()  # though the other's lease has ended
    go_on.set()
    writer.join()
    assert other.newest == 1


def test_a_replica_that_closed_is_not_waited_for(open_log):
    one, other = open_log(), open_log()
    other.close()
    began = time.monotonic()
    one.add("a", "chaos", {"value": ""})

    assert time.monotonic() - began < redis_lease.LEASE_S / 2


def test_numbers_keep_their_digits_in_events_and_snapshots(open_log):
    digits = '{"numbers":[1.10,1E3,12345678901234567890,0.1000000000000000055511151231257827]}'
    one, other = open_log(), open_log()
    one.add("a", "put", read_json(digits, exact=True))
    one.save([SessionSnapshot("a", 1, read_json(digits, exact=True))])

    (event,) = other.since(0)

    assert exact_json_bytes(event.body).decode() == digits
    assert exact_json_bytes(other.load("a").body).decode() == digits


def test_counters_are_exact_over_replicas(open_log):
    logs = [open_log(), open_log(), open_log()]
    found = []

    def count(log):
        found.extend(log.count("a", "fault") for _ in range(200))

    threads = [threading.Thread(target=count, args=(log,)) for log in logs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == list(range(1200))
    assert {log.counted("a", "fault") for log in logs} == {1200}


def test_a_reader_of_dropped_events_begins_from_the_snapshots(open_log):
    log = open_log()
    log.add(EVERY_SESSION, "reset_all", {"started": "2026-01-01T00:00:00+00:00"})
    for _ in range(5):
        log.add("a", "chaos", {"value": ""})
    log.save([SessionSnapshot("a", 6, {"of": "a"})])
    log.trim(6)
    log.add("b", "chaos", {"value": ""})

    with pytest.raises(EventsGoneError):
        kinds(log, after=3)
    origin = log.origin()
    assert (origin.number, origin.reset_all.number) == (6, 1)
    assert kinds(log, after=origin.number) == [(7, "b", "chaos")]


def test_the_newest_snapshot_of_several_replicas_stays(open_log):
    one, other = open_log(), open_log()
    for _ in range(3):
        one.add("a", "chaos", {"value": ""})
    one.save([SessionSnapshot("a", 3, {"of": "one"})])
    other.save([SessionSnapshot("a", 2, {"of": "other"})])
    assert one.load("a") == SessionSnapshot("a", 3, {"of": "one"})

    one.add(EVERY_SESSION, "reset_all", {})
    other.save([SessionSnapshot("a", 3, {"of": "other"})])
    assert one.load("a") is None


def wait_until(is_so):
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 10
        time.sleep(0.01)


@pytest.mark.parametrize("left", [0, 2], ids=["all", "some"])
def test_lost_events_begin_a_new_history(open_log, forgetful_server, left, caplog):
    log = open_log(forgetful_server)
    began = log.set_once("began", "now")
    for number in range(1, 5):
        log.add("a", "chaos", {"value": ""})
        if number == left:
            with log._redis.asking() as client:
                client.save()
    history = log.history
    forgetful_server.kill()
    with caplog.at_level(logging.ERROR, "deadringer"):
        forgetful_server.start()
        wait_until(lambda: log.is_current and log.history != history)

    assert log.newest == left
    assert f"has lost events: {left} are left of 4" in caplog.text
    assert log.set_once("began", "later") == began
    assert log.add("a", "chaos", {"value": ""}) == left + 1


def test_without_redis_nothing_is_acknowledged_and_nothing_is_lost(own_server, open_log):
    log = open_log(own_server)
    log.add("a", "chaos", {"value": ""})
    own_server.kill()
    wait_until(lambda: not log.is_current)

    for refused in (
        log.refresh,
        lambda: log.add("a", "chaos", {"value": ""}),
        lambda: log.count("a", "fault"),
        lambda: kinds(log),
    ):
        with pytest.raises(StateUnreachableError) as error:
            refused()
        assert error.value.kind.status == 503
        assert error.value.headers == {"Retry-After": "1"}
    own_server.start()
    log.refresh()
    assert kinds(log)[0] == (1, "a", "chaos")
    assert log.add("a", "chaos", {"value": ""}) == log.newest


def test_a_full_server_takes_no_change(own_server, open_log):
    log = open_log(own_server)
    with log._redis.asking() as client:
        client.config_set("maxmemory", 1)

    with pytest.raises(ApiError) as refused:
        log.add("a", "chaos", {"value": ""})

    assert refused.value.kind.code == "INSUFFICIENT_STORAGE"
    assert log.newest == 0


def refusal(url: str) -> str:
    with pytest.raises(StartError) as refused:
        open_event_log(parse_redis_url(url))
    return str(refused.value)


def test_a_server_that_is_not_there_is_named(own_server):
    url = own_server.url("shop", "user:secret@")
    own_server.kill()

    assert refusal(url) == (
        f"Redis at redis://127.0.0.1:{own_server.port}/0#shop cannot be reached: "
        "connection refused. Start it, or correct --state."
    )


def test_a_wrong_password_is_refused_and_not_shown(tmp_path):
    server = RedisServer(tmp_path, "--requirepass", "open sesame")
    try:
        for secret in ("", ":secret@", "user:secret@"):
            message = refusal(server.url("shop", secret))
            assert "refused the user or the password. Set --state to redis://USER:" in message
            assert "secret" not in message
        open_event_log(parse_redis_url(server.url("shop", ":open%20sesame@"))).close()
    finally:
        server.stop()


def test_a_log_of_another_format_is_refused(open_log, redis_server, name):
    log = open_log()
    with log._redis.asking() as client:
        client.hset(log._redis.key("about"), "format", "99")

    assert "has format 99, this version writes 1" in refusal(redis_server.url(name))


def test_an_unusable_database_is_refused(redis_server):
    assert "DB index is out of range" in refusal(f"redis://127.0.0.1:{redis_server.port}/99")


def test_a_server_that_is_too_old_is_refused(redis_server, monkeypatch):
    monkeypatch.setattr("deadringer.mockserver.state.redis_connection.OLDEST", (99, 1))

    assert re.search(
        r"#default has version \d+\.\d+\.\d+\. Use 99\.1 or newer, or Valkey\.",
        refusal(f"redis://127.0.0.1:{redis_server.port}"),
    )


def test_without_the_library_the_start_states_what_to_install(monkeypatch):
    for module in ("redis", "redis_connection", "redis_lease", "redis_windows"):
        monkeypatch.delitem(sys.modules, f"deadringer.mockserver.state.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)

    assert "pip install 'redis[hiredis]'" in refusal("redis://127.0.0.1:1")
