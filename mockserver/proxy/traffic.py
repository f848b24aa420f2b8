"""What passes the proxy: validated, remembered for the pages, and announced."""

import logging
import threading
from collections.abc import Callable, Sequence

from deadringer.contracts import Exchange, Violation
from deadringer.contracts.check import Report, TrafficValidator
from deadringer.contracts.traffic import BoundedStore
from deadringer.mockserver.admin.control.context import SeenRun

LOG = logging.getLogger("deadringer")
MOST_RUNS = 1_000
MOST_BYTES = 8 * 2**20
"""Executions that the trace page can show: how many, and of how many bytes together."""

Observer = Callable[[Exchange], None]
Announce = Callable[[Exchange, Sequence[Violation], int], None]
"""Gets an exchange, its violations, and its number in the journal."""


class LiveTraffic:
    """Validates exchanges one after the other, whatever thread they come from.

    `observers` get each complete exchange after that, under the same lock: they must not take long.
    """

    def __init__(
        self, validator: TrafficValidator, announce: Announce, observers: Sequence[Observer] = ()
    ) -> None:
        self._validator = validator
        self._announce = announce
        self._observers = observers
        self._lock = threading.Lock()
        self._runs: BoundedStore[tuple[str, str], SeenRun] = BoundedStore(MOST_RUNS, MOST_BYTES)

    def observe(self, exchange: Exchange, number: int) -> list[Violation]:
        """Return the violations of an exchange; `number` is that of its journal entry."""
        with self._lock:
            try:
                found = self._validator.observe(exchange)
                self._remember(exchange, found)
                if exchange.failure is None:
                    for observer in self._observers:
                        observer(exchange)
            except Exception:  # the client is to get its response all the same
                LOG.exception("The proxy failed to validate a %s of %s", *_named(exchange))
                return []
        if found:
            self._announce(exchange, found, number)
        return found

    def remember(self, exchange: Exchange) -> None:
        """Show the run of an exchange that is not validated, because it was recorded earlier."""
        with self._lock:
            self._remember(exchange, ())

    def _remember(self, exchange: Exchange, found: Sequence[Violation]) -> None:
        body, ids = exchange.body, exchange.path_parameters
        data = body.get("data") if exchange.succeeded and isinstance(body, dict) else None
        if exchange.operation_id == "getExecution" and isinstance(data, dict):
            envelope = {name: value for name, value in body.items() if name != "data"}
            seen = SeenRun(ids["id"], ids["runId"], data, envelope, tuple(found))
            self._runs.put((ids["id"], ids["runId"]), seen, len(exchange.response_body))

    def note_write(self, method: str, path: str) -> None:
        """Note a request to a path that no operation has; it may change a workflow."""
        with self._lock:
            self._validator.note_write(method, path)

    def forget(self) -> None:
        """Compare nothing with earlier exchanges any more, and show no earlier run."""
        with self._lock:
            self._validator.forget()
            self._runs = BoundedStore(MOST_RUNS, MOST_BYTES)

    def run(self, workflow_id: str, run_id: str) -> SeenRun | None:
        """Return a run as the upstream last returned it, None if it was not read."""
        with self._lock:
            return self._runs.get((workflow_id, run_id))

    def runs(self) -> list[SeenRun]:
        """Return the remembered runs, the last read first."""
        with self._lock:
            return [run for _, run in self._runs.newest()]

    def report(self) -> Report:
        """Return the report on everything so far."""
        with self._lock:
            return self._validator.report()


def _named(exchange: Exchange) -> tuple[str, str]:
    return exchange.method, exchange.operation_id or "?"
