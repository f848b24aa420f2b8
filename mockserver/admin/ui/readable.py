"""Format times and durations for people; the values may be of any type."""

from datetime import datetime

from deadringer.contracts import Json, parse_timestamp

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))
_SECOND_MS = 1000
_LONGEST_MS = 1e15


def duration(value: Json) -> str:
    """Return milliseconds as `950 ms`, `4.3 s`, `2 min 5 s`, `3 h 10 min`; "" for other values."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not 0 <= value <= _LONGEST_MS:
        return ""
    if value < _SECOND_MS:
        return f"{value:.0f} ms"
    if value < 60 * _SECOND_MS:
        return f"{value / _SECOND_MS:.1f} s"
    whole = int(value)
    for (size, unit), (below, below_unit) in zip(
        _UNITS, (*_UNITS[1:], (_SECOND_MS, "s")), strict=True
    ):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {below_unit}" if rest else "")
    return ""


def ago(value: Json, now: datetime) -> str:
    """Return a timestamp relative to now: `just now`, `5 min ago`, `in 3 h`; "" if invalid."""
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    size = abs(seconds)
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if size >= length:
            text = f"{int(size // length):,} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return ""


def moment(value: Json) -> str:
    """Return a timestamp as `24 Mar 2026, 15:30:10` (UTC); other values as they are."""
    found = parse_timestamp(value) if isinstance(value, str) else None
    return found.strftime("%d %b %Y, %H:%M:%S").lstrip("0") if found else str(value)
