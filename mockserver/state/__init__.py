"""What is changed, counted and stored: events, rate windows, clocks."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .events import EventLog


def open_event_log(path: Path | None) -> "EventLog":
    """Return the log in a state file, or one in memory for None.

    Raises:
        StartError: if the file cannot be used, or another server has it.
    """
    if path is None:
        from .events import MemoryEventLog

        return MemoryEventLog()
    from .sqlite import SqliteEventLog  # a start without a state file does not load SQLite

    return SqliteEventLog(path)
