"""The clock after a reset is as if the server had been started now."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app

FROZEN = "2026-03-27T08:00:00.000Z"
DOCUMENT = {"summary": "Nothing.", "world": {"runs_per_workflow": 1}}


def time_of(mock):
    message = mock.get("/__mock/clock").json()
    return message["now"], message["mode"], message["speed"]


@pytest.fixture
def serve(over_http, clock):
    return lambda **settings: over_http(build_app(Settings(**settings), clock=clock))


def test_a_fast_clock_begins_anew_at_the_real_time_and_keeps_its_speed(serve, clock):
    mock = serve(speed=10)
    clock.advance(60)
    assert time_of(mock) == ("2026-03-27T10:25:00.000Z", "running", 10)

    mock.put("/__mock/clock", json={"now": "2030-01-01T00:00:00Z", "speed": 3})
    mock.post("/__mock/reset")

    assert time_of(mock) == ("2026-03-27T10:16:00.000Z", "running", 10)
    clock.advance(6)
    assert time_of(mock)[0] == "2026-03-27T10:17:00.000Z"


def test_the_clock_of_a_reset_is_the_one_to_go_back_to(serve, clock):
    mock = serve(speed=10)
    clock.advance(60)
    mock.post("/__mock/reset")
    mock.put("/__mock/scenario", json={"document": DOCUMENT})
    clock.advance(6)

    mock.put("/__mock/clock", json={"speed": 0})
    mock.delete("/__mock/clock")

    assert time_of(mock) == ("2026-03-27T10:17:00.000Z", "running", 10)
    assert mock.get("/__mock/scenario").json()["passed_s"] == 60


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"freeze": FROZEN}, (FROZEN, "frozen", 0)), ({}, ("2026-03-27T10:16:00.000Z", "real", 1))],
)
def test_a_frozen_clock_stands_where_it_began_and_a_real_one_is_real(
    serve, clock, settings, expected
):
    mock = serve(**settings)
    mock.put("/__mock/clock", json={"now": "2030-01-01T00:00:00Z", "speed": 3})
    clock.advance(60)

    mock.post("/__mock/reset")

    assert time_of(mock) == expected


def test_only_what_was_reset_begins_anew(serve, clock):
    mock, other = serve(speed=10), {"X-Mock-Session": "other"}
    mock.put("/__mock/chaos", json={"profile": "overloaded"}, headers=other)
    clock.advance(60)

    mock.post("/__mock/reset")
    one = mock.get("/__mock/clock", headers=other).json()["now"]
    mock.post("/__mock/reset?all=true")

    assert one == "2026-03-27T10:25:00.000Z"
    assert mock.get("/__mock/clock", headers=other).json()["now"] == "2026-03-27T10:16:00.000Z"


def test_it_goes_on_from_the_reset_after_a_restart(tmp_path, clock):
    settings = Settings(speed=10, scenario="quiet-day", state=tmp_path / "state.sqlite")
    first = build_app(settings, clock=clock).test_client()
    clock.advance(60)
    first.post("/__mock/reset")
    clock.advance(6)
    first.application.extensions[EXTENSION].close()

    again = build_app(settings, clock=clock).test_client()

    assert again.get("/__mock/clock").json["now"] == "2026-03-27T10:17:00.000Z"
    assert again.get("/__mock/scenario").json["passed_s"] == 60
