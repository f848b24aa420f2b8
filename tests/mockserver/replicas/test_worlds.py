"""Replicas show the world of one server, whichever of them is asked, whatever happens between."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state.events import StateUnreachableError
from deadringer.mockserver.state.redis_url import parse_redis_url
from deadringer.mockserver.world.credits import credits_left
from tests.mockserver.conftest import DEMO, KNOWN, SettableClock
from tests.mockserver.redis_server import RedisServer
from tests.mockserver.world.test_session_cache import (
    CHANGES,
    NAMES,
    WORKFLOW,
    Server,
    chaos,
    in_chaos,
    put,
    seen_of,
)

REPLICAS = 3


def replicas_of(redis_server, clock, **options):
    url = parse_redis_url(redis_server.url(uuid4().hex))
    return [Server(clock, **options, state=url) for _ in range(REPLICAS)]


@pytest.fixture
def start_replicas(redis_server, clock):
    """Start replicas, which are closed after the test."""
    started = []

    def start(server=redis_server, **options):
        started.extend(replicas_of(server, clock, **options))
        return started

    yield start
    for one in started:
        one.service.close()


def compare(redis_server, steps):
    clock = SettableClock()
    options = {"empty": True, "speed": 2}
    plain = Server(clock, **options)
    replicas = replicas_of(redis_server, clock, **options, max_sessions=2)
    for place, (change, name, number, writer, then) in enumerate(steps):
        clock.advance(number)
        change(plain, name, number)
        change(replicas[writer], name, number)
        then(replicas[number % REPLICAS])
        reader = replicas[(writer + place) % REPLICAS]
        assert seen_of(reader.service, name) == seen_of(plain.service, name)
    for name in NAMES:
        for one in replicas:
            assert seen_of(one.service, name) == seen_of(plain.service, name)
    for one in (plain, *replicas):
        one.service.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(CHANGES),
        st.sampled_from(NAMES),
        st.integers(0, 9),
        st.integers(0, REPLICAS - 1),
        st.sampled_from((Server.go_on, Server.go_on, Server.compact, Server.restart)),
    ),
    min_size=5,
    max_size=40,
)
EXAMPLES = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=6, **EXAMPLES)
@given(STEPS)
def test_any_replica_shows_what_one_server_would(redis_server, steps):
    compare(redis_server, steps)


@pytest.mark.slow
@settings(max_examples=150, **EXAMPLES)
@given(STEPS)
def test_any_replica_shows_what_one_server_would_at_length(redis_server, steps):
    compare(redis_server, steps)


def test_an_acknowledged_change_shows_on_every_replica_at_once(start_replicas):
    replicas = start_replicas()
    for number in range(60):
        writer, readers = replicas[number % 3], replicas
        put(writer, "a", number)
        expected = writer.service.session("a").executions
        assert all(one.service.session("a").executions == expected for one in readers)


def test_credits_are_spent_once(start_replicas):
    """More runs than the credits pay for, started at every replica at once."""
    replicas = start_replicas()
    one = replicas[0].service
    snapshot = one.snapshot("")
    run = one.start_run(snapshot, WORKFLOW, {})
    left = credits_left(one.session(""), snapshot.now)
    spent = {**run.body, "run_id": "run_spent", "price": left - 5.5 * run.price}
    one.change("", "started", spent)

    def start_one(place):
        service = replicas[place % REPLICAS].service
        try:
            service.start_run(service.snapshot(""), WORKFLOW, {})
        except ApiError as refused:
            return refused.kind.code
        return "started"

    with ThreadPoolExecutor(12) as threads:
        outcomes = list(threads.map(start_one, range(24)))

    assert outcomes.count("started") == 5
    assert outcomes.count("INSUFFICIENT_CREDITS") == 19


def test_a_replica_that_missed_dropped_events_begins_from_snapshots(start_replicas, monkeypatch):
    """It is not asked for long: the events it did not apply are gone when it is."""
    monkeypatch.setattr("deadringer.mockserver.world.session_cache.COMPACT_AFTER", 20)
    first, late, _ = start_replicas(max_sessions=4)
    late.service.events.follow(lambda: None)  # it applies what a request needs, no earlier
    chaos(late.service, "old")
    for number in range(70):
        put(first, f"s{number % 10}", number)
    assert late.service._sessions._seen == 1

    for name in ("old", *(f"s{number}" for number in range(10))):
        assert seen_of(late.service, name) == seen_of(first.service, name)
    assert first.service.events.origin().number > 40


@pytest.fixture
def own_server(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def wait_until(is_so):
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 10
        time.sleep(0.01)


def test_without_redis_unchanged_sessions_are_read_and_nothing_else(start_replicas, own_server):
    replicas = start_replicas(own_server, max_sessions=1)
    writer, other, _ = replicas
    chaos(writer.service, "a", "b")
    before = seen_of(other.service, "a")
    unchanged = seen_of(other.service, "c")["rows"]
    wait_until(lambda: all(one.service.is_caught_up for one in replicas))
    own_server.kill()
    wait_until(lambda: not any(one.service.events.is_current for one in replicas))

    for one in replicas:
        assert one.service.snapshot("c").rows(WORKFLOW, 0, 50) == tuple(unchanged)
        for refused in (
            lambda one=one: one.service.session("a"),
            lambda one=one: one.service.session("b"),
            lambda one=one: one.service.session_names(),
            lambda one=one: one.service.require_current(),
            lambda one=one: chaos(one.service, "c"),
            lambda one=one: one.service.events.count("c", "fault"),
        ):
            with pytest.raises(StateUnreachableError):
                refused()
    own_server.start()

    for one in replicas:
        one.service.require_current()
        assert seen_of(one.service, "a") == before
        assert in_chaos(one.service, "a", "b", "c") == ["a", "b"]


def test_a_contract_fault_that_counts_needs_redis(own_server):
    """It applies after the view, where Flask itself would respond with a 500."""
    state = parse_redis_url(own_server.url())
    app = build_app(Settings(state=state, breaks=("reads-cost-credits",)))
    client = app.test_client()
    service = app.extensions[EXTENSION]
    assert client.get("/v1/credits/balance", headers=DEMO).json["data"]["balance"] == 4250
    assert client.get(KNOWN, headers=DEMO).status_code == 200
    assert client.get("/v1/credits/balance", headers=DEMO).json["data"]["balance"] < 4250
    own_server.kill()
    wait_until(lambda: not service.events.is_current)

    refused = client.get(KNOWN, headers=DEMO)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json["error"]["code"] == "STATE_UNREACHABLE"
    service.close()


@pytest.mark.slow
def test_a_replica_that_is_cut_off_when_others_change_a_session_is_waited_for(
    start_replicas, monkeypatch
):
    """Only its own questions fail: others write on, and it refuses what they may have changed."""
    writer, cut_off, _ = start_replicas()
    chaos(writer.service, "a")
    assert in_chaos(cut_off.service, "a") == ["a"]
    lease = cut_off.service.events._lease
    monkeypatch.setattr(lease, "_renewed", lambda: StateUnreachableError("the network is down"))
    monkeypatch.setattr(lease, "_until", 0.0)
    writer.service.reset("a")

    for name in ("a", "unchanged"):
        with pytest.raises(StateUnreachableError):
            cut_off.service.session(name)
    monkeypatch.undo()
    assert in_chaos(cut_off.service, "a") == []
