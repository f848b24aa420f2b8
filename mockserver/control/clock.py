"""The clock of a session: read, set, moved, and given back."""

from datetime import UTC

from contracts import JsonObject, format_timestamp, parse_timestamp
from mockserver.session_clock import SessionClock

from .steering import Steering, read_object, refused


def get_clock(steering: Steering) -> JsonObject:
    """Give the session's clock."""
    clock = steering.service.session_clock(steering.session_name)
    return clock.described(steering.service.clock.now())


def set_clock(steering: Steering) -> JsonObject:
    """Set the time, the speed, or both; speed 0 freezes."""
    body = read_object()
    machine = steering.service.clock.now()
    old = steering.service.session_clock(steering.session_name)
    began, speed = old.at(machine), body.get("speed", old.speed)
    if "now" in body:
        parsed = parse_timestamp(body["now"]) if isinstance(body["now"], str) else None
        if parsed is None:
            raise refused("now", "is not a time", "Write it like 2026-03-27T10:15:00Z")
        began = parsed.astimezone(UTC)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed < 1e7:
        raise refused("speed", "is not a number from 0", "Use 0 to freeze, 1 for real time")
    steering.change("clock", SessionClock(began, machine, speed).as_json())
    return get_clock(steering)


def unset_clock(steering: Steering) -> JsonObject:
    """Go back to the clock of the start."""
    steering.change("clock", {})
    return get_clock(steering)


def advance_clock(steering: Steering) -> JsonObject:
    """Move the time by some seconds."""
    seconds = read_object().get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise refused("seconds", "is not a number", 'Send {"seconds": 90}')
    clock = steering.service.session_clock(steering.session_name)
    try:
        moved = clock.moved(steering.service.clock.now(), seconds)
        format_timestamp(moved.began)
    except (OverflowError, ValueError) as problem:
        raise refused("seconds", "leads beyond the year 9999", "Move less far") from problem
    steering.change("clock", moved.as_json())
    return get_clock(steering)
