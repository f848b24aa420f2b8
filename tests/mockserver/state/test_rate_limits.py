"""Rate limits: one fixed window for each caller, counted truthfully."""

import threading
import tracemalloc

import pytest

from deadringer.contracts import validate
from deadringer.mockserver import RatePolicy, Settings, create_app
from deadringer.mockserver.state.rate_windows import MOST_WINDOWS, RateWindows
from tests.mockserver.conftest import KNOWN


def window_of(response) -> tuple[int, int, int]:
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return tuple(int(response.headers[name]) for name in names)


@pytest.fixture
def limited(over_http, clock):
    """Serve with a policy of 3 requests in 60 s, in a mode."""

    def serve(mode: str):
        settings = Settings(
            rate_limit=mode, rate_policy=RatePolicy(3, 60), api_keys=("key-a", "key-b")
        )
        client = over_http(create_app(settings, clock=clock))
        client.headers["x-api-key"] = "key-a"
        return client

    return serve


def test_by_default_100_requests_in_60_seconds_are_told(over_http, clock):
    client = over_http(create_app(clock=clock))

    assert window_of(client.get(KNOWN)) == (100, 99, 60)
    assert window_of(client.get(KNOWN)) == (100, 98, 60)


def test_every_answer_below_v1_is_counted_errors_and_head_included(limited):
    client = limited("report")

    remaining = [
        window_of(client.get(KNOWN))[1],
        window_of(client.get("/v1/none"))[1],
        window_of(client.head(KNOWN))[1],
    ]

    assert remaining == [2, 1, 0]
    assert "RateLimit-Limit" not in client.get("/").headers


def test_the_window_begins_with_the_first_request_and_ends_after_its_length(limited, clock):
    client = limited("report")

    states = []
    for seconds in (0, 12.5, 47.4, 0.1, 30):
        clock.advance(seconds)
        states.append(window_of(client.get(KNOWN)))

    assert states == [(3, 2, 60), (3, 1, 48), (3, 0, 1), (3, 2, 60), (3, 1, 30)]


def test_report_refuses_nothing(limited):
    client = limited("report")

    responses = [client.get(KNOWN) for _ in range(5)]

    assert [response.status_code for response in responses] == [200] * 5
    assert [window_of(response)[1] for response in responses] == [2, 1, 0, 0, 0]


def test_enforce_refuses_beyond_the_limit_until_the_window_ends(limited, clock):
    client = limited("enforce")

    responses = [client.get(KNOWN) for _ in range(3)]
    clock.advance(17)
    refused = client.get(KNOWN)
    clock.advance(43)
    later = client.get(KNOWN)

    assert [response.status_code for response in responses] == [200] * 3
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"] == "43"
    error = refused.json()["error"]
    assert (error["code"], error["retryAfterSeconds"]) == ("RATE_LIMITED", 43)
    assert error["message"] == "Rate limit exceeded. Maximum 3 requests per minute allowed."
    assert list(validate(refused.json(), "error_rate_limited")) == []
    assert later.status_code == 200


def test_off_tells_nothing_and_refuses_nothing(limited):
    client = limited("off")

    responses = [client.get(KNOWN) for _ in range(5)]

    assert [response.status_code for response in responses] == [200] * 5
    assert all("RateLimit-Limit" not in response.headers for response in responses)


def test_each_key_has_its_own_window(limited):
    client = limited("report")
    client.get(KNOWN)

    assert window_of(client.get(KNOWN, headers={"x-api-key": "key-b"}))[1] == 2


def test_calls_without_a_valid_key_share_the_window_of_their_address(limited):
    client = limited("enforce")

    statuses = [
        client.get(KNOWN, headers={"x-api-key": key}).status_code
        for key in ("", "invented-1", "invented-2", "invented-3")
    ]

    assert statuses == [401, 401, 401, 429]
    assert client.get(KNOWN).status_code == 200


def test_requests_at_the_same_time_are_all_counted(over_http, clock):
    client = over_http(create_app(clock=clock))
    remaining = []

    def read_ten_times():
        remaining.extend(window_of(client.get(KNOWN))[1] for _ in range(10))

    threads = [threading.Thread(target=read_ten_times) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(remaining) == list(range(50, 100))


def test_a_fast_clock_tells_the_seconds_a_caller_has_to_wait(limited, clock):
    client = limited("enforce")
    client.put("/__mock/clock", json={"speed": 20})
    states = [window_of(client.get(KNOWN)) for _ in range(3)]
    refused = client.get(KNOWN)

    clock.advance(3)

    assert states == [(3, 2, 3), (3, 1, 3), (3, 0, 3)]
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert client.get(KNOWN).status_code == 200


@pytest.fixture
def windows():
    return RateWindows(60)


def test_windows_take_no_more_room_however_many_callers_come(windows, clock):
    tracemalloc.start()
    for number in range(MOST_WINDOWS):
        windows.add(str(number), clock.now().timestamp())
    full, _ = tracemalloc.get_traced_memory()
    for number in range(MOST_WINDOWS, 8 * MOST_WINDOWS):
        windows.add(str(number), clock.now().timestamp())
    later, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    counts = [windows.add("another", clock.now().timestamp())[0] for _ in range(3)]

    assert counts == [1, 2, 3]
    assert later < full * 2


def test_a_window_begins_again_when_it_is_over_forgotten_or_its_clock_set_back(windows):
    begun = [windows.add("a", moment) for moment in (1000.0, 1059.9, 1060.0)]
    later = windows.add("a", 1059.0)  # read its time before the one that came first
    set_back = windows.add("a", 800.0)
    windows.clear("a")
    cleared = windows.add("a", 801.0)

    assert begun == [(1, 1060.0), (2, 1060.0), (1, 1120.0)]
    assert later == (2, 1119.0)
    assert (set_back, cleared) == ((1, 860.0), (1, 861.0))


def test_a_window_that_lasts_is_not_forgotten_for_those_that_are_over():
    windows = RateWindows(60)
    for number in range(MOST_WINDOWS - 1):
        windows.add(f"over {number}", 100.0)
    windows.add("lasts", 1000.0)
    for number in range(MOST_WINDOWS // 2):
        windows.add(f"new {number}", 1001.0)

    assert windows.add("lasts", 1001.0)[0] == 2
