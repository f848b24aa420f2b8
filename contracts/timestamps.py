"""Timestamps of the API: parse ISO 8601 with a zone, write one exact form."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_DOCUMENTED_FORM = re.compile(
    r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII
)
_MILLISECOND = timedelta(milliseconds=1)
_ISO_8601 = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"[Tt](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<zone_hour>\d{2})(?::?(?P<zone_minute>\d{2}))?)",
    re.ASCII,
)


def parse_timestamp(text: object) -> datetime | None:
    """Return the moment of an ISO 8601 timestamp with a zone, or None for other texts.

    Accepts every precision and offset form of the extended format, a comma as decimal sign, and a
    leap second (read as the last microsecond before it). A time without a zone returns None.
    """
    if not isinstance(text, str):
        return None
    return _parsed(text) if len(text) > _LONGEST_CACHED else _cached(text)


def _parsed(text: str) -> datetime | None:
    if _DOCUMENTED_FORM.fullmatch(text):
        # Ten times as fast; alone, it would accept forms that are no timestamps here.
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # no day of the calendar
            return None
    match = _ISO_8601.fullmatch(text)
    return None if match is None else _moment(match)


_cached = lru_cache(maxsize=4096)(_parsed)
"""Schema and rules read the same timestamps; those of the last documents are cached."""
_LONGEST_CACHED = 40
"""Characters; a longer text, however long, is no usual timestamp."""


def _moment(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (
        int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    if second == 60:
        second, microsecond = 59, 999_999
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=_zone(match))
    except (ValueError, OverflowError):
        return None


def _zone(match: re.Match[str]) -> timezone:
    if match["utc"]:
        return UTC
    hours, minutes = int(match["zone_hour"]), int(match["zone_minute"] or 0)
    if minutes > 59:
        raise ValueError("an offset has at most 59 minutes")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match["sign"] == "-" else offset)


def format_timestamp(moment: datetime) -> str:
    """Return a moment as in the API's examples: `YYYY-MM-DDTHH:MM:SS.mmmZ`, in UTC.

    Raises:
        ValueError: if the moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a zone cannot be written: {moment!r}")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds_between(start: datetime, end: datetime) -> float:
    """Return end - start in milliseconds; negative if the end comes first."""
    return (end - start) / _MILLISECOND
