"""One connection: its requests are answered one after the other, in the order they came."""

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, cast

from .answering import Exchange
from .environs import Environ
from .heads import CLOSES
from .known import Known
from .patience import Patience
from .reading import Reader, Request
from .refusals import BODY_LATE, HEAD_LATE, TOO_MUCH_AT_ONCE, Refusal

if TYPE_CHECKING:
    from .desk import Desk

LOG = logging.getLogger("deadringer")
_HIGH_WATER = 2**20
"""Bytes that may wait to be taken by the other side before no more is written."""
_COPIED = 2**16


class Connection(asyncio.Protocol):
    """Reads requests, has them answered and writes the answers.

    Other threads may call `send` and `send_last` alone.
    """

    def __init__(self, desk: "Desk", common: Environ) -> None:
        self.desk = desk
        self._common = common
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._reader: Reader | None = None
        self._waiting: deque[Request] = deque()
        self._refusal: Refusal | None = None
        self._exchange: Exchange | None = None
        self._is_free = True  # no request is under way, arriving or waiting, and all is written
        self._is_full = False
        self._is_ending = False
        self._is_deaf = False
        self._is_going_on = False
        self._owes_turn = False
        self._held_bytes = 0
        self._patience = Patience()
        self.is_gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self.desk.connections.add(self)
        if self.desk.is_stopping:
            self._close()

    def connection_lost(self, _failure: Exception | None) -> None:
        """End; a thread that sends learns of it."""
        self.is_gone = True
        self._read_no_more()
        if self._exchange is not None:
            self._exchange.given_up.set()
        self.desk.gone(self)
        self._give_turn()

    def data_received(self, data: bytes) -> None:
        """Take what has come: a request that is known by its bytes, most of the time."""
        if self._is_free:
            known = self.desk.known.get(data)
            if known is not None and known.request.environ["REMOTE_ADDR"] == self._address:
                self._ask(known.request, known.asked)
                return
        if not self._is_deaf:
            self._read(data)

    def _read(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            reader = self._reader = Reader({**self._common, "REMOTE_ADDR": self._address})
        was_between = reader.is_between
        self._patience.go_on()
        self._is_free = False
        try:
            found = reader.feed(data)
        except Exception:  # of ours
            LOG.exception("The server failed to read a request")
            self._transport.abort()
            return
        if self.desk.is_stopping and found:
            found = [found[0]._replace(keeps_alive=False)]
            self._is_ending = True
        if was_between or found:
            self._patience.begin()
        if reader.is_known(found, was_between=was_between) and found[0].keeps_alive:
            self.desk.known.add(data, Known(found[0], self._asked(found[0])))
        self._waiting.extend(found)
        self._refusal = reader.refusal
        self._count_held()
        if self._refusal is None and reader.awaits_body and self.desk.is_full:
            self._refusal = TOO_MUCH_AT_ONCE
        self._go_on()

    def _go_on(self) -> None:
        """Answer what has arrived, as far as can be."""
        if self._is_going_on:
            return
        self._is_going_on = True
        try:
            while self._waiting and self._exchange is None and not self._is_full:
                request = self._waiting.popleft()
                self._ask(request, self._asked(request))
        finally:
            self._is_going_on = False
        if self._is_deaf or self._transport.is_closing():
            return
        if self._waiting:
            self._transport.pause_reading()
        elif self._exchange is None:
            self._rest()

    def _rest(self) -> None:
        """All that arrived is answered: refuse what cannot be read, end, or wait for more."""
        is_between = self._reader is None or self._reader.is_between
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif self._is_ending or (is_between and self.desk.is_stopping):
            self._close()
        else:
            self._transport.resume_reading()
            self._is_free = is_between and not self._is_full
            if self._is_free:
                self.desk.let_go(self)
            else:
                self._encourage()
                self.desk.watch(self)

    def _encourage(self) -> None:
        """Tell a sender that waits for it to send its body."""
        if self._reader is not None and self._reader.asks_to_go_on:
            self._reader.asks_to_go_on = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._patience.go_on()

    def _asked(self, request: Request) -> object:
        """Give what a kept answer would be found by."""
        return self.desk.kept.asked(request.environ) if self.desk.kept else None

    def _ask(self, request: Request, asked: object) -> None:
        """Answer a request at once if its answer is kept; else have it made."""
        desk, kept = self.desk, self.desk.kept
        if asked is not None and kept is not None:
            try:
                reply = kept.answer(asked, request.environ)
            except Exception:  # of ours; the application may know better
                LOG.exception("The server failed to repeat an answer")
                reply = {}
            if isinstance(reply, tuple):
                parts, body = reply
                if not request.keeps_alive:
                    parts.append(CLOSES)
                parts.append(desk.last_lines())
                self._write(parts, body)
                if not request.keeps_alive:
                    self._close()
                return
            if reply:
                request = request._replace(environ={**request.environ, **reply})
        self._is_free = False
        self._exchange = Exchange(self, request)
        desk.hand_over(request, self._exchange)

    def send(self, exchange: Exchange, data: bytes) -> None:
        """Write a piece of an answer, and tell its thread when there is room for another."""
        self.desk.call(self._write_piece, exchange, data)

    def _write_piece(self, exchange: Exchange, data: bytes) -> None:
        self._owes_turn = True
        if not self.is_gone:
            self._transport.write(data)
        if self.is_gone or not self._is_full:
            self._give_turn()

    def _give_turn(self) -> None:
        """Let the thread go on that waits for its piece to be written."""
        if self._owes_turn and self._exchange is not None:
            self._owes_turn = False
            self._exchange.is_written()

    def send_last(self, exchange: Exchange, head: bytes, body: bytes, *, closes: bool) -> None:
        """Write the rest of an answer; what comes next is then answered, unless it `closes`."""
        self.desk.call(self._write_last, exchange, head, body, closes)

    def _write_last(self, exchange: Exchange, head: bytes, body: bytes, closes: bool) -> None:
        self._exchange = None
        self._count_held()
        self.desk.is_answered()
        if self.is_gone:
            return
        if head or body:
            self._write([head], body)
        if closes:
            self._close()
        else:
            self._go_on()

    def _write(self, head: list[bytes], body: bytes) -> None:
        """Write both, in one packet if they fit; a large body is not copied for that."""
        if len(body) > _COPIED:
            self._transport.write(b"".join(head))
            self._transport.write(body)
        else:
            head.append(body)
            self._transport.write(b"".join(head))

    def _close(self) -> None:
        """Close once all is written; what else has arrived is no longer answered."""
        is_sending = self._reader is not None and not self._reader.is_between
        self._read_no_more()
        if is_sending and not self._is_ending and not self.desk.is_stopping:
            self._linger()
            return
        self._note_unread()
        self._transport.close()

    def _linger(self) -> None:
        """Close for writing, and throw away what the other side still sends, for a while."""
        self._transport.write_eof()
        self._transport.resume_reading()
        self._patience.go_on()
        self._note_unread()

    def _note_unread(self) -> None:
        """See to it that an answer that is never taken does not stay for ever."""
        self._patience.begin_to_be_read()
        self.desk.watch(self)

    def _read_no_more(self) -> None:
        self._is_deaf = True
        self._is_free = False
        self._waiting.clear()
        self._reader = None
        self._count_held()

    def _count_held(self) -> None:
        """Tell the desk what the bodies of this connection take."""
        held = sum(len(request.body) for request in self._waiting)
        held += self._reader.held_bytes if self._reader else 0
        held += self._exchange.body_bytes if self._exchange else 0
        self.desk.held_bytes += held - self._held_bytes
        self._held_bytes = held

    def _refuse(self, refusal: Refusal) -> None:
        """Say why nothing more is read here; what is still being sent is thrown away."""
        self._read_no_more()
        LOG.warning("Refused what %s sent: %s. %s.", self._address, refusal.message, refusal.fix)
        body = refusal.body()
        head = (
            f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        self._write([head.encode(), CLOSES, self.desk.last_lines()], body)
        if self._is_ending or self.desk.is_stopping:
            self._close()
        else:
            self._linger()

    def look(self, now: float) -> None:
        """End what takes too long: a head, a body, an answer, the rest of what was refused."""
        reader, unread = self._reader, self._transport.get_write_buffer_size()
        if self._patience.is_unread(now, unread):
            self._transport.abort()
        elif self._is_deaf:
            if not unread and self._patience.has_lingered(now):
                self._transport.abort()
        elif reader is None or reader.is_between or self._exchange is not None or self._waiting:
            return
        elif reader.is_in_head:
            if self._patience.is_head_late(now, is_stopping=self.desk.is_stopping):
                self._refuse(HEAD_LATE)
        elif self._patience.is_body_late(now):
            if reader.awaits_body:
                self._refuse(BODY_LATE)
            else:  # the rest of a request that is answered
                self._close()

    def eof_received(self) -> bool:
        """Note that the other side sends no more; it may still read. Tell whether it is to."""
        self._is_ending = True
        if self._is_free or self._is_deaf:
            return False
        if self._exchange is not None:
            self._exchange.given_up.set()
        if self._reader is not None and self._refusal is None:
            self._refusal = self._reader.end()
        self._go_on()
        return True

    def finish(self) -> None:
        """Close as soon as all is answered that has begun to arrive."""
        if self._exchange is not None:
            self._exchange.given_up.set()
        is_in_rest = self._reader is not None and not (
            self._reader.is_between or self._reader.is_in_head or self._reader.awaits_body
        )
        if self._is_free or (is_in_rest and self._exchange is None and not self._waiting):
            self._close()

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to read, to answer or to write."""
        return self._is_free and not self._transport.get_write_buffer_size()

    def break_off(self) -> None:
        """Close at once; what waits to be written is lost."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Write no more until the other side has taken some."""
        self._is_full = True
        self._is_free = False
        self._note_unread()

    def resume_writing(self) -> None:
        """Go on."""
        self._is_full = False
        self._give_turn()
        self._go_on()
