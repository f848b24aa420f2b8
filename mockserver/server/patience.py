"""How long is waited for the other side of a connection; times are of the monotonic clock."""

import time

from .refusals import HEAD_PATIENCE_S, LONGEST_S, PATIENCE_S, UNREAD_S

_LINGER_S = 2.0
"""How long what was refused may still be sent: shut at once, a connection loses its answer."""


class Patience:
    """When something began to arrive, when it last went on, and when an answer was last taken."""

    def __init__(self) -> None:
        self._begun = self._since = self._taken = 0.0
        self._unread = 0

    def begin(self) -> None:
        """Note that a request begins."""
        self._begun = self._since = time.monotonic()

    def go_on(self) -> None:
        """Note that something has come, or that more is waited for from now on."""
        self._since = time.monotonic()

    def begin_to_be_read(self) -> None:
        """Note that an answer begins to wait for being taken."""
        self._taken, self._unread = time.monotonic(), 0

    def is_unread(self, now: float, unread: int) -> bool:
        """Tell whether an answer, of which so many bytes wait, is not taken any more."""
        if unread != self._unread:
            self._unread, self._taken = unread, now
        return bool(unread) and now - self._taken > UNREAD_S

    def has_lingered(self, now: float) -> bool:
        """Tell whether whoever was refused has had time to read that."""
        return now - self._since > _LINGER_S

    def is_head_late(self, now: float, *, is_stopping: bool) -> bool:
        """Tell whether a head takes too long."""
        return now - self._begun > (PATIENCE_S if is_stopping else HEAD_PATIENCE_S)

    def is_body_late(self, now: float) -> bool:
        """Tell whether a body stands still, or takes too long."""
        return now - self._since > PATIENCE_S or now - self._begun > LONGEST_S
