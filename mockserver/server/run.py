"""Starts and stops the server: uvicorn with our connections and our gateway."""

import asyncio
import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from .gateway import CachedResponses, ErrorBody, Gateway
from .limits import Limits
from .sockets import BACKLOG, Certificate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger("deadringer")
STOP_REST_S = 1
"""What a stop may take beyond `Limits.stop_s`: 8 seconds in all, where containers grant ten."""
AGAIN_S = 0.3
"""A Ctrl-C that comes sooner after the first is the same one, passed on by another process."""
_SOON_S = 0.5
_LAST_LOG_S = 0.1
_TURNS, _BETWEEN_TURNS_S = 10, 0.003


class Server(uvicorn.Server):
    """Serves until `should_exit` is set; what has arrived by then is finished."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._gateway: Gateway = config.app  # type: ignore[assignment]
        self._on_ready = on_ready
        self._first_signal_s = 0.0
        self._signals: SimpleQueue[int] = SimpleQueue()
        self.is_let_go = threading.Event()
        """Set when the process goes on after the server has stopped."""

    def end_process_late(self) -> None:
        """From here on, end the process if a signal to stop has not ended it in time.

        Threads that never release the interpreter hold up the event loop and its timers as well.
        """
        threading.Thread(target=self._end_process_late, name="end", daemon=True).start()

    def _end_process_late(self) -> None:
        self._signals.get()
        seconds = self._gateway.limits.stop_s + STOP_REST_S
        if self.is_let_go.wait(seconds - _LAST_LOG_S):
            return
        message = "Ended the process: it had not stopped after %g seconds."
        # In a thread of its own, as what is stuck may be the log.
        threading.Thread(target=LOG.error, args=(message, seconds), daemon=True).start()
        time.sleep(_LAST_LOG_S)
        os._exit(1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; only a Ctrl-C later than the first signal breaks off what is in progress.

        Whatever ends a group of processes may send each the signal, and another process send it
        again.
        """
        if self.should_exit and time.monotonic() - self._first_signal_s < AGAIN_S:
            return
        if not self._first_signal_s:
            self._first_signal_s = time.monotonic()
            self._signals.put(sig)  # which a handler of signals may do, unlike starting threads
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and report it."""
        await super().startup(sockets=sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what has arrived, then end every connection."""
        await _accept_and_read()
        for server in self.servers:
            server.close()
        await _accept_and_read()
        self._gateway.is_stopping = True
        ending = asyncio.create_task(self._break_off_late())
        await super().shutdown(sockets)
        if not self.force_exit:
            ending.cancel()
            return
        await ending  # which breaks off the connections that uvicorn no longer waits for

    def _unfinished(self) -> list[Any]:
        """Return the connections that have something to read, to handle or to write."""
        return [one for one in self.server_state.connections if not one.is_idle]  # type: ignore[union-attr]

    def _end_closing(self, closing: dict[Any, float]) -> None:
        """End connections over TLS whose client does not confirm the end in time.

        `closing` holds since when each has nothing left to send.
        """
        now = time.monotonic()
        for one in tuple(self.server_state.connections):
            if not (one.transport.is_closing() and one.is_idle):  # type: ignore[union-attr]
                closing.pop(one, None)
            elif now - closing.setdefault(one, now) > self._gateway.limits.linger_s:
                one.transport.abort()

    async def _break_off_late(self) -> None:
        """Break off every connection that takes too long, or at once after a second Ctrl-C."""
        seconds, begun = self._gateway.limits.stop_s, time.monotonic()
        is_reported, closing = False, dict[Any, float]()
        while not self.force_exit and time.monotonic() - begun < seconds:
            await asyncio.sleep(0.05)
            self._end_closing(closing)
            left = self._unfinished()
            if left and not is_reported and time.monotonic() - begun > _SOON_S:
                is_reported = True
                LOG.warning(
                    "Waiting up to %g seconds for %d connection(s); Ctrl-C again breaks them off.",
                    seconds,
                    len(left),
                )
        left = self._unfinished()
        if left:
            reason = f"{seconds:g} seconds were not enough"
            reason = "interrupted again" if self.force_exit else reason
            LOG.warning("Broke off %d connection(s): %s.", len(left), reason)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        self.force_exit = True  # uvicorn would wait for the threads of these connections


async def _accept_and_read() -> None:
    """Let the loop turn some times: to accept a connection, to read from it, to begin a response.

    A busy process may take long for one turn, so it is turns that count.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(_BETWEEN_TURNS_S)


def create_server(
    application: "WSGIApplication",
    error_body: ErrorBody,
    *,
    on_ready: Callable[[], None] = lambda: None,
    cache: CachedResponses | None = None,
    limits: Limits | None = None,
    certificate: Certificate | None = None,
    redact: Callable[[str], str] = str,
    decodes_bodies: bool = True,
) -> Server:
    """Return a server of an application; `cache` comes before it.

    `redact` hides secrets in what refusals quote of a request; `decodes_bodies` is whether the
    application gets the bodies of requests without their Content-Encoding.

    Run it with `run(sockets)`, in any thread; set `should_exit` to stop it.
    """
    gateway = Gateway(application, error_body, cache, limits, redact, decodes_bodies=decodes_bodies)
    config = uvicorn.Config(
        gateway,
        interface="asgi3",
        http=_protocol(),
        ws="none",
        lifespan="off",
        workers=1,
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=math.ceil(gateway.limits.idle_s),
        timeout_graceful_shutdown=math.ceil(gateway.limits.stop_s + _SOON_S),
        ssl_certfile=certificate and str(certificate.certificate),
        ssl_keyfile=certificate and certificate.key and str(certificate.key),
        h11_max_incomplete_event_size=gateway.limits.head_bytes,
    )
    logging.getLogger("uvicorn").handlers = LOG.handlers
    return Server(config, on_ready)


def _protocol() -> Any:
    """Return the class of connections: with httptools where it is installed."""
    try:
        from .protocol import CachingProtocol
    except ImportError:
        from .plain import PlainProtocol

        return PlainProtocol
    return CachingProtocol


def serve(
    application: "WSGIApplication",
    listeners: Sequence[socket.socket],
    error_body: ErrorBody,
    *,
    ends_process: bool = True,
    **options: Any,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in progress are finished first.

    One that takes longer than `Limits.stop_s` is broken off, or all at a second Ctrl-C. The process
    ends STOP_REST_S later at the latest, with exit code 1 where a thread keeps it from ending;
    without `ends_process`, only until this returns. `options` are those of `create_server`.
    """
    _allow_connections()
    server = create_server(application, error_body, **options)
    server.end_process_late()
    # uvicorn raises the signals again that stopped it, for handlers that stood here before.
    for one in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(one, server.handle_exit)
    server.run(list(listeners))
    if not ends_process:
        server.is_let_go.set()
    for one in uvicorn.server.HANDLED_SIGNALS:  # the process ends; Python would let them kill it
        signal.signal(one, signal.SIG_IGN)


def _allow_connections() -> None:
    """Let this process have as many connections as the system grants it, not the usual 1,024."""
    try:
        import resource
    except ImportError:  # on Windows there is no such limit
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
