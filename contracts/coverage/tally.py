"""Count what exchanges meet: observe them one by one, merge, write and read as JSON."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator

from deadringer.contracts.envelopes import rows_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json, JsonObject

from .catalogue import coverage_items, is_of_the_api, items_met, series
from .model import RunRead
from .parts import data_of

VERSION = 1
MOST_RUNS = 1_000
"""How many runs are remembered for situations of two reads; the least recently read are dropped."""


class CoverageFormatError(ValueError):
    """A document is not the JSON form of coverage; the message states why."""


class Sighting:
    """A set of items that exchanges met together, and how many exchanges did.

    Add to `count` for each repetition of an exchange that was observed.
    """

    __slots__ = ("count", "items")

    def __init__(self, items: frozenset[str] = frozenset()) -> None:
        self.items = items
        self.count = 0


class CoverageTally:
    """How often each item was met. Threads may share it.

    `requests` counts the exchanges of operations. `unknown` are ids in merged documents that this
    version does not have; they count nowhere.
    """

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._merged: Counter[str] = Counter()
        self._merged_requests = 0
        self._sightings: dict[frozenset[str], Sighting] = {}
        self._runs: OrderedDict[tuple[str, str], RunRead] = OrderedDict()
        self._lock = threading.Lock()

    def observe(self, exchange: Exchange) -> Sighting:
        """Count what an exchange meets; return the count to raise if the exchange is repeated.

        Exchanges of one run must come in the order they were sent. An exchange of no operation is
        not counted.
        """
        if not is_of_the_api(exchange):
            return Sighting()
        items = set(items_met(exchange))
        with self._lock:
            items.update(self._met_after(exchange))
            found = frozenset(items)
            sighting = self._sightings.setdefault(found, Sighting(found))
            sighting.count += 1
            return sighting

    def _met_after(self, exchange: Exchange) -> Iterator[str]:
        """Yield the ids of the situations that an exchange meets together with an earlier one."""
        workflow_id = exchange.path_parameters.get("id", "")
        if exchange.operation_id == "listExecutions":
            for row in rows_of(data_of(exchange)):
                run = workflow_id, str(row.get("run_id"))
                self._remember(run, self._runs.get(run, RunRead())._replace(is_listed=True))
        if exchange.operation_id != "getExecution":
            return
        run = workflow_id, exchange.path_parameters.get("runId", "")
        before, status = self._runs.get(run), data_of(exchange).get("status")
        now = RunRead(
            exchange.status,
            exchange.failure,
            status if isinstance(status, str) else "",
            is_listed=before is not None and before.is_listed,
        )
        if exchange.status == 304 and before is not None:
            now = now._replace(run_status=before.run_status)
        self._remember(run, now)
        if before is not None:
            for item, matches_after in series():
                if matches_after(before, now):
                    yield item

    def _remember(self, run: tuple[str, str], read: RunRead) -> None:
        self._runs[run] = read
        self._runs.move_to_end(run)
        if len(self._runs) > MOST_RUNS:
            self._runs.popitem(last=False)

    @property
    def requests(self) -> int:
        """How many exchanges of operations were observed and merged."""
        with self._lock:
            return self._merged_requests + sum(one.count for one in self._sightings.values())

    def counts(self) -> Counter[str]:
        """Return how many exchanges met each item; items that were not met are missing."""
        with self._lock:
            found = self._merged.copy()
            for sighting in self._sightings.values():
                for item in sighting.items:
                    found[item] += sighting.count
            return found

    def merge(self, other: "CoverageTally") -> None:
        """Add the counts of another tally; a situation of two reads is not found across both."""
        counts, requests = other.counts(), other.requests
        with self._lock:
            self._merged.update(counts)
            self._merged_requests += requests
            self.unknown |= other.unknown

    def to_json(self) -> JsonObject:
        """Return the counts as `{"version", "requests", "met": {id: count}}`."""
        counts = self.counts()
        met = {item: counts[item] for item in coverage_items() if counts[item]}
        return {"version": VERSION, "requests": self.requests, "met": met}

    @classmethod
    def from_json(cls, document: Json) -> "CoverageTally":
        """Return the tally of a document that `to_json` returned; other members are ignored.

        Raises:
            CoverageFormatError: if it is none, or of another version.
        """
        if not is_coverage(document):
            raise CoverageFormatError("it has no members `version`, `requests` and `met`")
        if document["version"] != VERSION:
            version = f"it has version {document['version']!r}, this program reads {VERSION}"
            raise CoverageFormatError(f"{version}; write it again with one version of deadringer")
        counts = document["met"]
        numbers = [document["requests"], *counts.values()]
        if not all(type(one) is int and one >= 0 for one in numbers):
            raise CoverageFormatError("`requests` and the counts in `met` must be whole numbers")
        tally, known = cls(), coverage_items()
        tally.unknown = {item for item in counts if item not in known}
        tally._merged = Counter({item: count for item, count in counts.items() if item in known})
        tally._merged_requests = document["requests"]
        return tally


def is_coverage(document: Json) -> bool:
    """Return whether a document looks like the JSON form of a tally."""
    return (
        isinstance(document, dict)
        and {"version", "requests", "met"} <= document.keys()
        and isinstance(document["met"], dict)
    )
