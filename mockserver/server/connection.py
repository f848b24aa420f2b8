"""What our connections add to uvicorn's, with whichever parser: limits, refusals, faults."""

import asyncio
import logging
import math
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from .environ import WITHOUT_BODY
from .gateway import Gateway
from .heads import header_lines, status_line
from .limits import Limits
from .refusals import (
    BODY_CUT_OFF,
    BODY_TIMEOUT,
    HEAD_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    Refusal,
    unreadable,
)
from .response_writer import ResponseWriter

LOG = logging.getLogger("deadringer")
_RESETS = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: closing resets the connection, and does not wait."""
_HIGH_WATER = 2**20
"""Bytes that may wait to be read by the client before no more is written."""


class BoundedConnection(asyncio.Protocol):
    """Stands in front of a protocol class of uvicorn, which reads, writes and preserves the order.

    tests/mockserver/server/test_uvicorn.py lists what is used of that class, and why.
    """

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    connections: set[Any]
    scope: Any
    cycle: Any
    timeout_keep_alive_task: asyncio.TimerHandle | None

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        state = {**app_state, "connection": self}
        super().__init__(config, server_state, state, _loop)  # type: ignore[call-arg]
        self.gateway: Gateway = config.app
        self.limits: Limits = self.gateway.limits
        self.writer: ResponseWriter | None = None
        self.has_eof = False
        self.is_unread = False  # so much that no more is to be written
        self._closed = asyncio.Event()
        self._is_deaf = False
        self._refusal: Refusal | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun_s = self._active_s = 0.0
        self._unread_s, self._refused_s = 0.0, math.inf
        self._unread_bytes = 0

    @property
    def is_busy(self) -> bool:
        """Whether a request has arrived whose response is not complete."""
        raise NotImplementedError

    @property
    def arriving(self) -> str:
        """What of a request is arriving: "head", "body", or "" between requests."""
        raise NotImplementedError

    @property
    def is_gone(self) -> bool:
        """Whether the connection is closed."""
        return self._closed.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops: responses are the last of their connections."""
        return self.gateway.is_stopping

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be read, handled or written."""
        return not (self.is_busy or self.arriving or self.transport.get_write_buffer_size())

    @property
    def is_hurried(self) -> bool:
        """Whether a response may not be delayed: the client is leaving, or the server stops."""
        return self.is_gone or self.has_eof or self.is_stopping

    async def wait_until_closed(self) -> None:
        """Return once the connection is closed; a task that is cancelled closes it."""
        while not self.is_gone:
            try:
                await self._closed.wait()
            except asyncio.CancelledError:
                self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(_HIGH_WATER)
        self._active_s = self.loop.time()
        if self.is_stopping:
            self.transport.close()
        elif len(self.connections) > self.limits.connections:
            self.refuse(TOO_MANY_CONNECTIONS)
        self.check_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a thread that makes a response learns of it."""
        self._closed.set()
        self._hurry()
        self._stop_timer()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        if self.writer is not None:
            self.writer.given_up.set()

    def eof_received(self) -> bool:
        """Note that the client sends no more; return whether responses can still be sent."""
        self.has_eof = True
        self._hurry()
        if self.arriving == "body" and not self._is_deaf and self._wants_body:
            length = dict(self.scope["headers"]).get(b"content-length", b"").decode("latin-1")
            end = f"its {length} bytes had arrived" if length else "its last chunk"
            self.refuse(BODY_CUT_OFF.of(end=end))
        is_tls = self.transport.get_extra_info("sslcontext") is not None
        return self.is_busy and not is_tls

    # How long a client may take: one timer, and one function that computes when it is due.

    def _deadline(self) -> tuple[float, Callable[[], None]]:
        """Return when what goes on has to be over, in the loop's time, and what is done then."""
        limits = self.limits
        if self._refused_s < math.inf:
            return self._refused_s + limits.linger_s, self.transport.abort
        if self.is_unread:
            return self._unread_s + limits.unread_s, self._check_unread
        if self._is_deaf:
            return math.inf, self.check_time
        if self.arriving == "head":
            head_s = limits.body_idle_s if self.is_stopping else limits.head_s
            return self._begun_s + head_s, lambda: self.refuse(HEAD_TIMEOUT.of(limits=limits))
        if self.arriving == "body" and (self._wants_body or not self.is_busy):
            due = min(self._active_s + limits.body_idle_s, self._begun_s + limits.body_s)
            if self._wants_body:
                return due, lambda: self.refuse(BODY_TIMEOUT.of(limits=limits))
            return due, self.transport.close  # there is a response already
        if self.is_busy:
            return math.inf, self.check_time
        return self._active_s + limits.idle_s, self.transport.close

    def check_time(self) -> None:
        """Do what is due, and see to it that this is called again when the next thing is."""
        if self.is_gone or self.transport.is_closing():
            return
        now = self.loop.time()
        if not self.arriving:
            self._begun_s = 0.0
        elif not self._begun_s:
            self._begun_s = now
        if not self.transport.is_reading():  # it is the server that is slow
            self._begun_s = self._active_s = now
        due, act = self._deadline()
        if due <= now:
            act()
        elif due < (math.inf if self._timer is None else self._timer.when()):
            self._stop_timer()
            self._timer = self.loop.call_at(due, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self.check_time()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def note_data(self) -> None:
        """Note that data came; whatever has begun to arrive has to end in time."""
        self._active_s = self.loop.time()
        self.check_time()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle for too long; uvicorn calls it after each response."""
        self.check_time()

    def pause_writing(self) -> None:
        """Write no more until the client has read some."""
        super().pause_writing()
        self.is_unread, self._unread_bytes = True, 0
        self._check_unread()

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self.is_unread = False
        self.check_time()

    def _check_unread(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread == self._unread_bytes:
            self.transport.abort()
            return
        self._unread_bytes, self._unread_s = unread, self.loop.time()
        self.check_time()

    # Refusals, and other ends.

    def send_400_response(self, msg: str) -> None:
        """Refuse what uvicorn cannot read."""
        self.refuse(unreadable(msg))

    def refuse(self, refusal: Refusal) -> None:
        """Read no more; send the refusal once all responses before it are sent, and close."""
        self._is_deaf = True
        self._refusal = self._refusal or refusal
        if self.arriving == "body" and self._wants_body:
            self._drop_request()
        self._settle()

    def _drop_request(self) -> None:
        """End the request that is arriving: there is no response to it but a refusal."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    @property
    def _wants_body(self) -> bool:
        return self.scope is not None and self.scope["method"] not in WITHOUT_BODY

    def on_response_complete(self) -> None:
        """Go on with the next request; uvicorn calls it."""
        super().on_response_complete()  # type: ignore[misc]
        self._active_s = self.loop.time()
        self._settle()
        self.check_time()

    def _settle(self) -> None:
        """Where all responses are sent: refuse what cannot be read, or close after the last."""
        if self.is_busy or self.transport.is_closing():
            return
        if self._refusal is not None:
            self.send_refusal(self._refusal)
        elif self.has_eof or (self.is_stopping and not self.arriving):
            self.transport.close()

    def send_refusal(self, refusal: Refusal, *, has_body: bool = True) -> None:
        """Send a refusal at once, though the request may still arrive, and close.

        It may quote the request, so secrets are hidden, in the log as well. A connection has one
        refusal: of what follows, nothing is read.
        """
        if self._refused_s < math.inf or self.transport.is_closing():
            return
        self._refusal = None
        refusal = refusal._replace(message=self.gateway.redact(refusal.message))
        client = self.client[0] if self.client else "a local client"
        LOG.warning("Refused what %s sent: %s. %s.", client, refusal.message, refusal.fix)
        body = self.gateway.error_body(*refusal)
        head = status_line(f"{refusal.status.value} {refusal.status.phrase}")
        head += header_lines(
            [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("date", self.gateway.date().decode()),
                ("connection", "close"),
            ]
        )
        self.transport.write(head + b"\r\n" + (body if has_body else b""))
        self._linger()

    def _linger(self) -> None:
        """Send no more, and close once the client has had time to read what was sent."""
        self._is_deaf = True
        if self.has_eof or self.is_stopping:
            self.transport.close()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
        self._refused_s = self.loop.time()
        self.check_time()

    def break_off(self, *, is_reset: bool) -> None:
        """Close when what is written has left; or reset the connection, with no more of it."""
        if not is_reset:
            self.transport.close()
            return
        file: socket.socket | None = self.transport.get_extra_info("socket")
        if file is not None and file.family != getattr(socket, "AF_UNIX", None):
            file.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close once everything has its response that has begun to arrive; uvicorn calls it."""
        self._hurry()
        is_cut_off = self._is_deaf or self.arriving == "body"
        if not self.is_busy and (is_cut_off or not self.arriving):
            self.transport.close()
        self.check_time()
