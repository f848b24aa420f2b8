"""Violations in the log, as they happen: the first of each kind in full, the others counted."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Sequence

from deadringer.contracts import Exchange, Violation, printable
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.rules import rule_named

from .forwarding import JOURNAL_PAGE

LOG = logging.getLogger("deadringer")
MOST_KINDS = 500
"""So many kinds of violations are logged; what follows is only in the report."""
_LONGEST = 300
_INDEX = re.compile(r"(?<=/)\d+(?=/|$)")
_AGAIN = frozenset({10, 100, 1_000, 10_000, 100_000})
"""A further line is logged when a kind has occurred so many times."""


class ViolationLog:
    """Logs a violation once for each rule, operation and place; indexes of arrays do not count.

    `url` is the address of the proxy, which is known once it listens.
    """

    def __init__(self, redactor: SecretRedactor, *, has_pages: bool) -> None:
        self.url = ""
        self._redactor = redactor
        self._has_pages = has_pages
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def announce(self, exchange: Exchange, found: Sequence[Violation], number: int) -> None:
        """Log the violations of an exchange; `number` is that of its journal entry."""
        for violation in found:
            count = self._count(exchange, violation)
            if count == 1:
                self._log(exchange, violation, number)
            elif count in _AGAIN:
                name = f"{rule_named(violation.rule).id} {violation.rule}"
                LOG.warning("violation %s: %d times by now", name, count)

    def warn(self, line: str) -> None:
        """Log a line about the proxy itself."""
        LOG.warning("%s", printable(self._redactor(line)))

    def _count(self, exchange: Exchange, violation: Violation) -> int:
        place = _INDEX.sub("*", violation.pointer)
        kind = violation.rule, exchange.operation_id or "", place
        with self._lock:
            if kind not in self._counts and len(self._counts) >= MOST_KINDS:
                return 0
            self._counts[kind] += 1
            return self._counts[kind]

    def _log(self, exchange: Exchange, violation: Violation, number: int) -> None:
        rule, show = rule_named(violation.rule), self._shown
        fields = {
            "rule_id": rule.id,
            "rule": rule.name,
            "severity": violation.severity.value,
            "request": show(f"{exchange.method} {exchange.path} -> {exchange.status}"),
            "pointer": show(violation.pointer) or "/",
            "expected": show(violation.expected),
            "got": show(violation.got),
            "see": f"{self.url}{JOURNAL_PAGE}#{number}" if self._has_pages else "",
        }
        see = "\n         see %(see)s" if fields["see"] else ""
        LOG.warning(
            "violation %(rule_id)s %(rule)s (%(severity)s): %(request)s at %(pointer)s\n"
            f"         expected %(expected)s; got %(got)s{see}",
            fields,
            extra={"fields": fields},
        )

    def _shown(self, text: str) -> str:
        shown = printable(self._redactor(text))
        return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
