"""The clock of a session: read, set, advance and reset it."""

from datetime import UTC, datetime

from deadringer.contracts import JsonObject, format_timestamp, parse_timestamp
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state.clock import LATEST, VirtualClock

from .context import ControlContext, refused


def get_clock(control: ControlContext) -> JsonObject:
    """Return the session's clock."""
    clock = control.service.session_clock(control.session_name)
    return clock.described(control.service.clock.now())


def set_clock(control: ControlContext) -> JsonObject:
    """Set the time, the speed, or both; speed 0 freezes."""
    body = control.body
    machine = control.service.clock.now()
    old = control.service.session_clock(control.session_name)
    began, speed = old.at(machine), body.get("speed", old.speed)
    if "now" in body:
        began = _moment(body["now"])
    control.change("clock", VirtualClock(began, machine, speed).as_json())
    return get_clock(control)


def unset_clock(control: ControlContext) -> JsonObject:
    """Reset the clock to that of the start."""
    control.change("clock", {})
    return get_clock(control)


def advance_clock(control: ControlContext) -> JsonObject:
    """Advance the clock by some seconds."""
    clock = control.service.session_clock(control.session_name)
    try:
        moved = clock.moved(control.service.clock.now(), control.body["seconds"])
    except (OverflowError, ValueError) as problem:
        raise _too_far() from problem
    if moved.began > LATEST:
        raise _too_far()
    control.change("clock", moved.as_json())
    return get_clock(control)


def _moment(text: str) -> datetime:
    parsed = parse_timestamp(text)
    assert parsed is not None, "the schema requires a time"
    try:
        moment = parsed.astimezone(UTC)
    except OverflowError as problem:
        raise refused("now", "is outside the years 1 to 9999 in UTC", "Choose another") from problem
    if moment > LATEST:
        raise refused("now", f"is after {format_timestamp(LATEST)}", "Choose an earlier time")
    return moment


def _too_far() -> ApiError:
    problem = f"leads out of the years 1 to 9999, or beyond {format_timestamp(LATEST)}"
    return refused("seconds", problem, "Use fewer seconds")
