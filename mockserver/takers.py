"""Which of Granian's threads takes the next request: one, and the others stand by.

One thread gives kept answers fastest: several would contend for the one interpreter, which shows
most in the slowest answers. But one that waits for a body takes nothing, so another takes over.
"""

import threading

FOR_EVER_S = 10 * 365 * 24 * 60 * 60
"""How long a thread may be idle: if it ended with the place, nobody could take over."""


class Takers:
    """The place of the one thread that takes requests, and those that stand by for it."""

    def __init__(self) -> None:
        self._place = threading.Lock()
        self._holder: int | None = None

    def stay(self) -> None:
        """Wait for the place, with the request at hand done; who holds it goes on at once.

        Granian begins more threads than one when many requests come together. Each does the
        request it was given first.
        """
        me = threading.get_ident()
        if self._holder != me:
            self._place.acquire()
            self._holder = me

    def leave(self) -> None:
        """Let another thread take requests while this one waits for its own."""
        if self._holder == threading.get_ident():
            self._holder = None
            self._place.release()
