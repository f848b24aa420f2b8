"""The one source of the time of day; everything that depends on time asks it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Give the present moment, in UTC."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Give the present moment, in UTC."""
        return datetime.now(UTC)
