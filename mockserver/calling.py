"""Calls the application for each request that Granian takes.

The thread that takes requests may not wait: an answer that is kept is given at once, any other is
made by a thread of a pool.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from .bare_granian import Response as Told
from .bodies import Bodies
from .takers import Takers
from .transport_faults import BrokenConnectionError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from .kept_answers import Headers, KeptAnswer

    Repeated = Callable[[dict[str, Any]], tuple[KeptAnswer, Headers] | None]

LOG = logging.getLogger("deadringer")
MOST_AT_ONCE = 512
"""Answers a worker makes at the same time; each that is held on purpose holds a thread."""
_UNSENDABLE = [("Content-Length", "0"), ("Content-Length", "1")]
"""Granian's HTTP library sends no head that says two lengths: it closes the connection instead."""

Call = Callable[[Any, dict[str, Any]], None]
"""Takes Granian's protocol object and the request's part of an environ."""


def caller_of(
    application: "WSGIApplication", repeated: "Repeated | None", at_once: int = MOST_AT_ONCE
) -> Call:
    """Give what answers one request; `repeated` is asked first, unless one thread does everything.

    Granian's own caller puts this process's variables into environ. They are nobody's business
    there, a variable named HTTP_… would pass for a header, and copying them costs more than the
    rest of the environ. An answer that is kept needs no environ at all.
    """
    make = _making(application)
    if at_once == 1:
        return make
    takers = Takers()
    hand_over, stay = _in_pool(make, at_once, takers), takers.stay

    def give(protocol: Any, scope: dict[str, Any]) -> None:
        reply = repeated(scope) if repeated else None
        if reply is None:
            hand_over(protocol, scope)
        else:
            kept, headers = reply
            protocol.response_bytes(kept.status_code, headers, kept.lasting.body)
        stay()  # not if that failed: Granian answers for us once this returns

    return give


def _making(application: "WSGIApplication") -> Call:
    common: dict[str, Any] = {
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": "Granian",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }

    def make(protocol: Any, scope: dict[str, Any]) -> None:
        told: Any = Told()  # type: ignore[no-untyped-call] # is untyped
        answer = application(common | scope, told)
        if isinstance(answer, list):
            protocol.response_bytes(told.status, told.headers, b"".join(answer))
        else:
            _send_in_pieces(protocol, told, answer)

    return make


def _in_pool(make: Call, at_once: int, takers: Takers) -> Call:
    """Give what hands a request to a thread that may wait."""
    pool, bodies = ThreadPoolExecutor(at_once, "answer"), Bodies(takers)

    def make_or_fail(protocol: Any, scope: dict[str, Any]) -> None:
        try:
            make(protocol, scope)
        except Exception:  # of ours outside Flask, which answers its own
            LOG.exception("The server failed to answer a %s", scope["REQUEST_METHOD"])
            protocol.response_bytes(500, [], b"")

    def hand_over(protocol: Any, scope: dict[str, Any]) -> None:
        if bodies.take(protocol, scope):
            pool.submit(make_or_fail, protocol, scope)

    return hand_over


class _Pieces:
    """An answer that is made piece by piece; the first one is made at once."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        self._close = getattr(answer, "close", None)
        rest = iter(answer)
        try:
            self._pieces = chain(list(islice(rest, 1)), rest)
        except BrokenConnectionError:
            self.close()
            raise

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Tell the application that the answer is sent, or given up."""
        if self._close:
            self._close()


def _send_in_pieces(protocol: Any, told: Any, answer: Iterable[bytes]) -> None:
    """Send an answer as it is made; its head waits for the first piece, as PEP 3333 asks.

    So nothing is sent of one that breaks off before, nor while one is held before.
    """
    try:
        pieces = _Pieces(answer)
    except BrokenConnectionError:
        told.headers, pieces = _UNSENDABLE, _Pieces(())
    protocol.response_iter(told.status, told.headers, pieces)
