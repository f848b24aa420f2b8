"""Whose rate window a request counts in, and how large a window is."""

from typing import NamedTuple


class RatePolicy(NamedTuple):
    """How many requests one key may make in a window; written `100/60`."""

    limit: int = 100
    window_s: int = 60


class Caller(NamedTuple):
    """Whose window a request counts in: `kind` keeps keys and addresses apart.

    Every session has windows of its own, since its clock may be another one; a reset begins them
    anew, for a frozen clock would never end them.
    """

    session: str
    kind: str
    name: str

    @property
    def window_name(self) -> str:
        """What the caller's window is called; only the last part may hold a slash."""
        return f"{self.session}/{self.kind}/{self.name}"
