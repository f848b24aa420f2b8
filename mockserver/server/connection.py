"""What our connections add to uvicorn's, with whichever parser: limits, refusals, faults."""

import asyncio
import logging
import socket
import struct
import sys
from typing import Any

from .gateway import WITHOUT_BODY, Exchange, Gateway
from .heads import header_lines, status_line
from .limits import (
    TOO_MANY_CONNECTIONS,
    Limits,
    Refusal,
    body_cut_off,
    body_timeout,
    head_timeout,
    unreadable,
)

LOG = logging.getLogger("deadringer")
_RESETS = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: closing resets the connection, and does not wait."""
_HIGH_WATER = 2**20
"""Bytes that may wait to be read by the client before no more is written."""


class BoundedConnection(asyncio.Protocol):
    """Stands in front of a protocol class of uvicorn, which reads, writes and keeps the order.

    What it uses of that: the methods of `asyncio.Protocol`, `on_response_complete`, `shutdown`,
    `send_400_response`, `timeout_keep_alive_handler`, and the attributes named below.
    """

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    connections: set[Any]
    cycle: Any
    flow: Any
    timeout_keep_alive_task: asyncio.TimerHandle | None

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        state = {**app_state, "connection": self}
        super().__init__(config, server_state, state, _loop)  # type: ignore[call-arg]
        self.gateway: Gateway = config.app
        self.limits: Limits = self.gateway.limits
        self.exchange: Exchange | None = None
        self.is_gone = False
        self.has_eof = False
        self._is_deaf = False
        self._refusal: Refusal | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._begun_s = self._received_s = 0.0
        self._unread_bytes = 0

    @property
    def is_busy(self) -> bool:
        """Whether a request has arrived whose response is not complete."""
        cycle = self.cycle
        return cycle is not None and not (cycle.response_complete or cycle.disconnected)

    @property
    def arriving(self) -> str:
        """What of a request is arriving: "head", "body", or "" between requests."""
        raise NotImplementedError

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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(_HIGH_WATER)
        self._received_s = self.loop.time()
        self._stay_open_for(self.limits.idle_s)
        if self.is_stopping:
            self.transport.close()
        elif len(self.connections) > self.limits.connections:
            self.refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a thread that makes a response learns of it."""
        self.is_gone = True
        self._hurry()
        for timer in self._timers.values():
            timer.cancel()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        if self.exchange is not None:
            self.exchange.given_up.set()

    def eof_received(self) -> bool:
        """Note that the client sends no more; return whether it is still sent something."""
        self.has_eof = True
        self._hurry()
        if self.arriving == "body" and not self._is_deaf and self._wants_body:
            self.refuse(body_cut_off(*self._body_progress()))
        is_tls = self.transport.get_extra_info("sslcontext") is not None
        return self.is_busy and not is_tls

    def _start_timer(self, name: str, seconds: float, what: Any) -> None:
        self._stop_timer(name)
        self._timers[name] = self.loop.call_later(seconds, what)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    # How long a client may take.

    def watch_arriving(self) -> None:
        """Note that data came; whatever has begun to arrive has to end in time."""
        self._received_s = self.loop.time()
        if not self.arriving:
            self._begun_s = 0.0
            return
        if not self._begun_s:
            self._begun_s = self._received_s
        if "arriving" not in self._timers:
            self._check_arriving()

    def _check_arriving(self) -> None:
        self._stop_timer("arriving")
        what, now = self.arriving, self.loop.time()
        if not what or self._is_deaf or self.transport.is_closing():
            return
        if self.flow.read_paused:  # it is the server that is slow
            self._begun_s = self._received_s = now
        if what == "head":
            head_s = self.limits.body_idle_s if self.is_stopping else self.limits.head_s
            due = self._begun_s + head_s
        else:
            due = min(
                self._received_s + self.limits.body_idle_s, self._begun_s + self.limits.body_s
            )
        if now < due:
            self._start_timer("arriving", due - now, self._check_arriving)
        elif what == "head":
            self.refuse(head_timeout(self.limits))
        elif self._wants_body:
            self.refuse(body_timeout(self.limits))
        elif self.is_busy:
            self._start_timer("arriving", self.limits.body_idle_s, self._check_arriving)
        else:  # the body of a request that is answered
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for too long; uvicorn calls it after each response."""
        left = self._received_s + self.limits.idle_s - self.loop.time()
        if self.is_busy or self.arriving:
            left = self.limits.idle_s
        if left > 0:
            self._stay_open_for(left)
        else:
            self.transport.close()

    def _stay_open_for(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def pause_writing(self) -> None:
        """Write no more until the client has read some."""
        super().pause_writing()
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._start_timer("unread", self.limits.unread_s, self._check_unread)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._stop_timer("unread")

    def _check_unread(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread == self._unread_bytes:
            self.transport.abort()
        else:
            self._unread_bytes = unread
            self._start_timer("unread", self.limits.unread_s, self._check_unread)

    # Refusals, and other ends.

    def send_400_response(self, msg: str) -> None:
        """Refuse what uvicorn cannot read."""
        self.refuse(unreadable(msg))

    def refuse(self, refusal: Refusal) -> None:
        """Read no more; say why once all responses are sent that come before, and close."""
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
        cycle = self.cycle
        return cycle is not None and cycle.scope["method"] not in WITHOUT_BODY

    def _body_progress(self) -> tuple[int, str | None]:
        """Return how much of the arriving body came, and the length announced for it."""
        length = dict(self.cycle.scope["headers"]).get(b"content-length")
        return len(self.cycle.body), None if length is None else length.decode("latin-1")

    def on_response_complete(self) -> None:
        """Go on with the next request; uvicorn calls it."""
        super().on_response_complete()  # type: ignore[misc]
        self._settle()

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

        It may quote the request, so secrets are hidden, in the log as well.
        """
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
        self.flow.resume_reading()
        self._start_timer("linger", self.limits.linger_s, self.transport.abort)

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
        """Close once all is answered that has begun to arrive; uvicorn calls it."""
        self._hurry()
        if self.is_busy:
            self.cycle.keep_alive = False
        elif not self.arriving or self._is_deaf or (self.arriving == "body"):
            self.transport.close()
        else:
            self._check_arriving()
