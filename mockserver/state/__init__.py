"""What is changed, counted and stored: events, rate windows, clocks."""

from pathlib import Path
from typing import TYPE_CHECKING

from .redis_url import RedisUrl

if TYPE_CHECKING:
    from .events import EventLog


def open_event_log(place: Path | RedisUrl | None) -> "EventLog":
    """Return the log in a state file or on a Redis server, or one in memory for None.

    Raises:
        StartError: if the file or the server cannot be used, or another server has the file.
    """
    if place is None:
        from .events import MemoryEventLog

        return MemoryEventLog()
    if isinstance(place, RedisUrl):
        return _on_redis(place)
    from .sqlite import SqliteEventLog  # a start without a state file does not load SQLite

    return SqliteEventLog(place)


def _on_redis(url: RedisUrl) -> "EventLog":
    try:
        from .redis import RedisEventLog
    except ModuleNotFoundError as problem:
        if problem.name != "redis":
            raise
        from deadringer.mockserver.exceptions import StartError

        raise StartError(
            "Setting state: the package redis is missing. Install it with "
            "pip install 'redis[hiredis]', or use a file."
        ) from None
    return RedisEventLog(url)
