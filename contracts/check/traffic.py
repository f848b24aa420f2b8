"""Validate the requests of others as they pass, and report on all of them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.rules import RULES, Context, Rule, Settings
from deadringer.contracts.timestamps import format_timestamp
from deadringer.contracts.traffic import Series
from deadringer.contracts.violations import Severity, Violation

from .access import Access
from .baseline import is_failed
from .recorder import ResultRecorder
from .report import Conclusion, Report

MOST_SHOWN_BYTES = 16 * 2**20
"""Documents of examples in the report, as bytes of their responses."""
_SHOWN_HEADERS = ("x-api-key", "authorization", "cookie", "prefer", "x-mock-session")
"""Headers of a request that its curl line repeats; a browser sends many others."""
_NO_REQUESTS = (
    "no response of the API was seen. Send the requests of your client to the address of the "
    "proxy, and see that the server behind it can be reached."
)


@dataclass(frozen=True, slots=True)
class TrafficOptions:
    """What observed exchanges are tested on; `base_url` is the server that responded."""

    base_url: str
    rules: tuple[Rule, ...] = RULES
    settings: Settings = field(default_factory=Settings)
    fail_on: Severity = Severity.ERROR
    access: Access = field(default_factory=Access)


class TrafficValidator:
    """Validates exchanges in the order in which they end, each with the earlier ones.

    It sends nothing. Not safe for threads. `warn` gets a line about a rule that raised.
    """

    def __init__(
        self,
        options: TrafficOptions,
        redactor: SecretRedactor,
        warn: Callable[[str], None] = lambda _line: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._redactor = redactor
        self._now_s = now_s
        self._began_at_s = now_s()
        self._started_at = format_timestamp(datetime.now(UTC))
        self._count = 0
        self._recorder = ResultRecorder(
            options.rules,
            options.base_url,
            warn,
            redactor,
            access=options.access,
            most_shown_bytes=MOST_SHOWN_BYTES,
        )
        self._series = self._new_series()
        self._forgot_at_s = -math.inf

    def _new_series(self) -> Series:
        return Series(Context(settings=self._options.settings), has_clock=True)

    def observe(self, exchange: Exchange) -> list[Violation]:
        """Validate the next exchange and return its violations."""
        self._count += 1
        shown = self._as_shown(exchange)
        is_late = exchange.sent_at_s < self._forgot_at_s  # sent before a reset, and ended after it
        series = self._new_series() if is_late else self._series
        return [
            violation
            for subject in series.subjects(exchange)
            for violation in self._recorder.test(subject, shown)
        ]

    def note_write(self, method: str, path: str) -> None:
        """Note a request to a path that no operation has; it may change a workflow."""
        self._series.note_write(method, path)

    def forget(self) -> None:
        """Compare nothing with exchanges sent earlier any more, as after a reset of the server."""
        self._series = self._new_series()
        self._forgot_at_s = self._now_s()

    def _as_shown(self, exchange: Exchange) -> Exchange:
        """Return the exchange as curl lines repeat it: without other headers and secrets."""
        redact, own = self._redactor, {name for name, _ in self._options.access.headers}
        headers = {
            name: value if name != "cookie" else redact.header(name, value)
            for name, value in exchange.request_headers.items()
            if name in _SHOWN_HEADERS and name not in own
        }
        query = {name: redact.member(name, value) for name, value in exchange.query.items()}
        return replace(exchange, request_headers=headers, query=query)

    def report(self) -> Report:
        """Return the report on everything so far; inconclusive if nothing was tested."""
        options = self._options
        report = Report(
            base_url=options.base_url,
            started_at=self._started_at,
            elapsed_s=self._now_s() - self._began_at_s,
            requests=self._count,
            seed=0,
            conclusion=Conclusion.PASSED,
            results=self._recorder.results(),
            fail_on=options.fail_on,
            is_partial=True,
        )
        if is_failed(report, options.fail_on):
            return replace(report, conclusion=Conclusion.FAILED)
        if not self._recorder.has_tested:
            return replace(report, conclusion=Conclusion.INCONCLUSIVE, reason=_NO_REQUESTS)
        return report
