"""The clock of a session: read, set, moved, and given back."""

from datetime import UTC, datetime

from contracts import JsonObject, format_timestamp, parse_timestamp
from mockserver.session_clock import SessionClock

from .steering import Steering, refused


def get_clock(steering: Steering) -> JsonObject:
    """Give the session's clock."""
    clock = steering.service.session_clock(steering.session_name)
    return clock.described(steering.service.clock.now())


def set_clock(steering: Steering) -> JsonObject:
    """Set the time, the speed, or both; speed 0 freezes."""
    body = steering.body
    machine = steering.service.clock.now()
    old = steering.service.session_clock(steering.session_name)
    began, speed = old.at(machine), body.get("speed", old.speed)
    if "now" in body:
        began = _moment(body["now"])
    steering.change("clock", SessionClock(began, machine, speed).as_json())
    return get_clock(steering)


def unset_clock(steering: Steering) -> JsonObject:
    """Go back to the clock of the start."""
    steering.change("clock", {})
    return get_clock(steering)


def advance_clock(steering: Steering) -> JsonObject:
    """Move the time by some seconds."""
    clock = steering.service.session_clock(steering.session_name)
    try:
        moved = clock.moved(steering.service.clock.now(), steering.body["seconds"])
        format_timestamp(moved.began)
    except (OverflowError, ValueError) as problem:
        raise refused("seconds", "leads beyond the year 9999", "Move less far") from problem
    steering.change("clock", moved.as_json())
    return get_clock(steering)


def _moment(text: str) -> datetime:
    parsed = parse_timestamp(text)
    assert parsed is not None, "the document asks for a time"
    try:
        return parsed.astimezone(UTC)
    except OverflowError as problem:
        raise refused("now", "is outside the years 1 to 9999 in UTC", "Choose another") from problem
