"""Rate windows over replicas: exact where a limit is enforced, soon equal where it is reported."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from deadringer.mockserver.state import open_event_log
from deadringer.mockserver.state.rate_windows import RateWindows
from deadringer.mockserver.state.redis_url import parse_redis_url
from deadringer.mockserver.state.redis_windows import LAG_S

WINDOW_S = 60
NOW = 1_774_606_500.25


@pytest.fixture
def windows_of(redis_server):
    """Open the windows of two replicas."""
    url = parse_redis_url(redis_server.url(uuid4().hex))
    logs = [open_event_log(url), open_event_log(url)]
    yield lambda *, is_exact: [one.rate_windows(WINDOW_S, is_exact=is_exact) for one in logs]
    for one in logs:
        one.close()


def test_exact_windows_count_as_one_server_does(windows_of):
    replicas, plain = windows_of(is_exact=True), RateWindows(WINDOW_S)
    moments = [0, 1, 59.75, 59.999, 60, 61, 500, 400, 380, 10, 10, 69.9, 70, 130.1]

    for place, moment in enumerate(moments):
        expected = plain.add("a/key/x", NOW + moment)
        assert replicas[place % 2].add("a/key/x", NOW + moment) == expected
    replicas[0].clear("a/key/x")
    assert replicas[1].add("a/key/x", NOW)[0] == 1


def test_exact_windows_lose_no_request(windows_of):
    replicas = windows_of(is_exact=True)

    with ThreadPoolExecutor(8) as threads:
        counts = threads.map(lambda place: replicas[place % 2].add("a", NOW)[0], range(400))

    assert sorted(counts) == list(range(1, 401))


def test_keys_of_callers_are_not_stored(windows_of, redis_server):
    (windows, _) = windows_of(is_exact=True)
    windows.add("a/key/trig_secret", NOW)

    with windows._connection.asking() as client:
        (key,) = client.keys(windows._connection.key("window:*"))
        assert b"secret" not in key
        assert 0 < client.ttl(key) <= 86_400


def test_reported_windows_are_equal_soon(windows_of):
    one, other = windows_of(is_exact=False)
    for _ in range(30):
        one.add("a", NOW)
        other.add("a", NOW + 1)
    time.sleep(3 * LAG_S)

    count, end = one.add("a", NOW + 2)
    assert count == 61
    assert end in {NOW + WINDOW_S, NOW + 1 + WINDOW_S}  # of the one that was counted first
    time.sleep(3 * LAG_S)
    assert other.add("a", NOW + 3) == (62, end)


def test_a_reported_window_ends_and_begins_anew(windows_of):
    one, other = windows_of(is_exact=False)
    one.add("a", NOW)
    time.sleep(3 * LAG_S)

    assert one.add("a", NOW + WINDOW_S) == (1, NOW + 2 * WINDOW_S)
    time.sleep(3 * LAG_S)
    assert other.add("a", NOW + WINDOW_S + 1)[0] == 1  # it has not compared since
    time.sleep(3 * LAG_S)
    assert one.add("a", NOW + WINDOW_S + 2) == (3, NOW + 2 * WINDOW_S)
