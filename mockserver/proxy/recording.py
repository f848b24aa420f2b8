"""Record what passes the proxy: as one HAR file, and as documents for `serve --fixtures`."""

import logging
import shlex
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from deadringer.contracts import Exchange
from deadringer.contracts.check import Access, ReportError
from deadringer.fixtures import Sanitizer

from .recorded_content import EXECUTION, WORKFLOW, LeftOut, RecordedContent
from .recording_folder import RecordingFolder

LOG = logging.getLogger("deadringer")
MOST_BYTES = 128 * 2**20
"""Bytes of one recording, about: its HAR file stays below what is read as one document."""
_BYTES_AROUND = 4096
"""Bytes of an exchange beside its body, about."""
_PAUSE_S = 1.0
_SHARE = 10
"""A write that takes long is followed by a pause so many times as long."""


class RecordingSummary(NamedTuple):
    """What a recording holds; `lost` exchanges came after it was full."""

    folder: Path
    exchanges: int
    executions: int
    workflows: int
    left_out: tuple[LeftOut, ...] = ()
    lost: int = 0
    detectors: tuple[str, ...] = ()
    """What found the values that were replaced, such as `email`."""
    free_texts: int = 0
    """Places with texts whose words were not replaced."""

    @property
    def lines(self) -> list[str]:
        """What to print at the end: what is in it, what is not, and how to use it."""
        place = shlex.quote(str(self.folder))
        if not self.exchanges:
            return [f"Recorded nothing in {place}: no request of the API passed the proxy."]
        held = ", ".join(
            f"{number} {what}{'' if number == 1 else 's'}"
            for number, what in zip(self[1:4], ("exchange", "execution", "workflow"), strict=True)
        )
        lines = [f"Recorded in {place}: {held}."]
        if self.left_out:
            lines.append("In the HAR file only, because they violate the contract:")
            lines += [f"  {one.what}: {', '.join(one.rules)}" for one in self.left_out]
        if self.lost:
            lines.append(f"Not recorded, because the recording was full: {self.lost} exchanges.")
        if self.detectors:
            lines.append(f"Values were replaced that these found: {', '.join(self.detectors)}.")
        if self.free_texts:
            lines.append(
                "Read it before you commit it: words of free text are as they were, at "
                f"{self.free_texts} places. To replace them: deadringer sanitize --free-text."
            )
        return [
            *lines,
            f"Serve it:  deadringer serve --empty --fixtures {place}",
            f"Replay it: deadringer proxy --replay {place}",
        ]


class TrafficRecording:
    """A recording that grows: what is observed is written soon, and everything at the end.

    Keys and cookies are hidden in any case; without a sanitizer everything else is written as it
    was. `observe` may be called by several threads and only stores the exchange: one thread of its
    own does the rest.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        base_url: str,
        sanitizer: Sanitizer | None = None,
        *,
        access: Access | None = None,
        most_bytes: int = MOST_BYTES,
        epoch_s: float = 0.0,
    ) -> None:
        """Start the thread that writes; `base_url` is that of the real service.

        The headers that `access` adds are not recorded: clients do not send them. `epoch_s` is when
        the clock of the exchanges began, in seconds since 1970.
        """
        access = access or Access()
        self._added = {name.lower() for name, _value in access.headers}
        self._epoch_s = epoch_s
        self._folder = folder
        self._content = RecordedContent(base_url, sanitizer, access.secrets())
        self._bytes_left = most_bytes
        self._lost = 0
        self._observed: list[Exchange] = []
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._follow, name="recording", daemon=True)
        self._thread.start()

    def observe(self, exchange: Exchange) -> None:
        """Add an exchange."""
        with self._changed:
            self._bytes_left -= len(exchange.response_body) + _BYTES_AROUND
            if self._bytes_left < 0:
                self._refuse()
                return
            self._observed.append(self._as_sent(exchange))
            self._changed.notify()

    def close(self) -> RecordingSummary:
        """Write everything and return what the recording holds.

        Raises:
            ReportError: if a file cannot be written.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()
        return self._write()

    def _as_sent(self, exchange: Exchange) -> Exchange:
        """Return an exchange as the client saw it, with its time since 1970."""
        headers = exchange.request_headers
        return replace(
            exchange,
            request_headers={name: headers[name] for name in headers if name not in self._added},
            sent_at_s=self._epoch_s + exchange.sent_at_s,
        )

    def _refuse(self) -> None:
        if not self._lost:
            LOG.warning(
                "The recording is full: later exchanges are not recorded. "
                "Stop the proxy to close it, and record the rest into another folder."
            )
        self._lost += 1

    def _follow(self) -> None:
        """Write after a change, with a pause in between."""
        pause_s = _PAUSE_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._observed or self._is_closing)
                self._changed.wait_for(lambda: self._is_closing, timeout=pause_s)
                if self._is_closing:
                    return
            began = time.monotonic()
            try:
                self._write()
            except ReportError as problem:
                LOG.error("The recording cannot be written: %s", problem)  # noqa: TRY400
            except Exception:  # a later exchange may be written all the same
                LOG.exception("The proxy failed to write the recording")
            pause_s = max(_PAUSE_S, _SHARE * (time.monotonic() - began))

    def _write(self) -> RecordingSummary:
        with self._changed:
            observed, self._observed = self._observed, []
            lost = self._lost
        self._content.add(observed)
        documents, left_out = self._content.documents()
        if self._content.size:
            self._folder.write(self._content.har(), documents)
        counts = Counter(name.partition("-")[0] for name in documents)
        return RecordingSummary(
            self._folder.path,
            self._content.size,
            counts[EXECUTION],
            counts[WORKFLOW],
            tuple(left_out),
            lost,
            *self._content.replacements(),
        )
