"""What all connections of a process share, and the threads that make answers."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from .answering import Exchange, answer
from .environs import Environ
from .heads import LastLines
from .known import KnownRequests
from .reading import Request
from .refusals import MOST_HELD_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from .connection import Connection

LOG = logging.getLogger("deadringer")
MOST_AT_ONCE = 512
"""Answers a process makes at the same time; each that is held on purpose holds a thread."""
_LOOK_EVERY_S = 0.5


class Kept(Protocol):
    """Answers that are given at once, in the thread of the connections: nothing here may wait."""

    def asked(self, environ: Environ) -> Any:
        """Give what an answer would be found by; None if none to this request is ever kept."""

    def answer(self, asked: Any, environ: Environ) -> tuple[list[bytes], bytes] | Environ:
        """Give status line and headers, in parts, and the body of an answer that is kept.

        Where there is none: what the application's environ is to hold beside the request's.
        """


def _at_once(what: Callable[..., object], *arguments: Any) -> None:
    what(*arguments)


class Desk:
    """Hands requests to the application, and knows every connection.

    `call`, `last_lines` and `is_stopping` are for every thread, all else for the event loop's.
    """

    def __init__(
        self, application: "WSGIApplication", kept: Kept | None, at_once: int = MOST_AT_ONCE
    ) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(at_once, "answer") if at_once > 1 else None
        self.loop = asyncio.get_running_loop()
        self.has_threads = self._pool is not None
        self.call = self.loop.call_soon_threadsafe if self._pool else _at_once
        self.kept = kept
        self.known = KnownRequests()
        self.last_lines = LastLines()
        self.connections: set[Connection] = set()
        self.held_bytes = 0
        self.is_stopping = False
        self._under_way = 0
        self._slow: set[Connection] = set()
        self._look: asyncio.TimerHandle | None = None
        self._all_gone = asyncio.Event()

    def hand_over(self, request: Request, exchange: Exchange) -> None:
        """Have a request answered by a thread that may wait; by this one if nothing ever does."""
        self._under_way += 1
        if self._pool is None:
            self._make(request, exchange)
            return
        try:
            self._pool.submit(self._make, request, exchange)
        except RuntimeError:  # the system grants no more threads
            LOG.exception("No thread could be started for an answer")
            exchange.fail()

    def is_answered(self) -> None:
        """Note that a request that was handed over has its answer."""
        self._under_way -= 1
        self._end_if_all_gone()

    def _make(self, request: Request, exchange: Exchange) -> None:
        try:
            answer(self._application, request, exchange)
        except BaseException:  # of ours outside Flask, which answers its own
            LOG.exception("The server failed to answer a %s", request.environ["REQUEST_METHOD"])
            exchange.fail()

    @property
    def is_full(self) -> bool:
        """Whether the bodies of all connections take as much as they may."""
        return self.held_bytes > MOST_HELD_BYTES

    def watch(self, connection: "Connection") -> None:
        """Look at a connection now and then, until it is let go."""
        self._slow.add(connection)
        if self._look is None:
            self._look = self.loop.call_later(_LOOK_EVERY_S, self._look_at_all)

    def let_go(self, connection: "Connection") -> None:
        """Look at it no longer."""
        self._slow.discard(connection)

    def _look_at_all(self) -> None:
        self._look = None
        now = time.monotonic()
        for connection in tuple(self._slow):
            connection.look(now)
        if self._slow:
            self._look = self.loop.call_later(_LOOK_EVERY_S, self._look_at_all)

    def gone(self, connection: "Connection") -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        self.let_go(connection)
        self._end_if_all_gone()

    def _end_if_all_gone(self) -> None:
        if self.is_stopping and not self.connections and not self._under_way:
            self._all_gone.set()

    async def stop(self) -> None:
        """End every connection once it has answered what has arrived on it."""
        self.is_stopping = True
        for connection in tuple(self.connections):
            connection.finish()
        self._end_if_all_gone()
        await self._all_gone.wait()

    @property
    def _owing(self) -> int:
        """How many connections have something to read, to answer or to write."""
        return sum(not connection.is_idle for connection in self.connections)

    def tell_of_waiting(self, seconds: float) -> None:
        """Say what is waited for."""
        if self._owing:
            told = "Waiting up to %g seconds for %d connection(s); Ctrl-C again breaks them off."
            LOG.warning(told, seconds, self._owing)

    def give_up(self, reason: str) -> None:
        """Break every connection off, whatever it has still to give."""
        if self._owing:
            LOG.warning("Broke off %d connection(s): %s.", self._owing, reason)
        for connection in tuple(self.connections):
            connection.break_off()
