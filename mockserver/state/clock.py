"""The time a session sees: that of the machine, or one that stands, runs faster or was moved."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from deadringer.contracts import JsonObject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds_of(moment: datetime) -> int:
    """Return a time as whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


class Clock(Protocol):
    """Returns the time."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)


LATEST = datetime(9999, 11, 30, 23, 59, 59, 999_000, UTC)
"""The end of time: a run that starts now, and the next month, still have a date."""


class VirtualClock(NamedTuple):
    """Time `began` at `since` of the machine's clock and goes `speed` times as fast; 0 stands."""

    began: datetime
    since: datetime
    speed: float

    @property
    def is_the_machines(self) -> bool:
        """Whether this is the machine's own clock, as it is for most."""
        return self.began is self.since and self.speed == 1

    def at(self, machine: datetime) -> datetime:
        """Return the session's time at a time of the machine; it stands still at `LATEST`."""
        if self.is_the_machines:
            return machine if machine < LATEST else LATEST
        passed = machine - self.since
        try:
            if self.speed != 1:
                passed *= self.speed
            return min(self.began + passed, LATEST)
        except OverflowError:
            return LATEST if machine > self.since else self.began

    def machine_time_of(self, moment: datetime) -> datetime | None:
        """Return when the machine's clock will show a time of the session, None if it stands.

        Raises:
            OverflowError: if that time has no name.
        """
        if not self.speed:
            return None
        return self.since + (moment - self.began) / self.speed

    def described(self, machine: datetime) -> "JsonObject":
        """Return now, mode and speed, as the control API shows them."""
        is_real = self.speed == 1 and self.began == self.since
        mode = "real" if is_real else "running" if self.speed else "frozen"
        from deadringer.contracts import format_timestamp  # pytest and `--help` load this module

        return {"now": format_timestamp(self.at(machine)), "mode": mode, "speed": self.speed}

    def moved(self, machine: datetime, seconds: float) -> "VirtualClock":
        """Return the clock that is ahead by some seconds.

        Raises:
            OverflowError: if that time has no name.
        """
        return VirtualClock(self.at(machine) + timedelta(seconds=seconds), machine, self.speed)

    def as_json(self) -> "JsonObject":
        """Return what it takes to make the clock again."""
        return {
            "began": self.began.isoformat(),
            "since": self.since.isoformat(),
            "speed": self.speed,
        }

    @classmethod
    def from_json(cls, written: "JsonObject") -> "VirtualClock":
        """Make the clock that `as_json` wrote.

        Raises:
            ValueError: if a time is none, or has no zone.
        """
        began, since = (datetime.fromisoformat(written[name]) for name in ("began", "since"))
        if began.tzinfo is None or since.tzinfo is None:
            raise ValueError("a time of the clock has no zone")
        return cls(began, since, written["speed"])


def start_clock(machine: datetime, freeze: str | None, speed: float) -> VirtualClock:
    """Return the clock of a start: `freeze` is the time it stands at, `speed` how fast it goes."""
    if freeze is not None:
        from deadringer.contracts import parse_timestamp

        moment = parse_timestamp(freeze)
        assert moment is not None, "settings check it"
        return VirtualClock(moment.astimezone(UTC), machine, 0)
    return VirtualClock(machine, machine, speed)
