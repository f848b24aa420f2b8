"""A series of exchanges: each is tested alone, and with the earlier ones of the same caller.

Exchanges arrive in the order in which they ended. Two are compared only if the earlier response had
ended before the later request was sent: of concurrent ones, the order is not known.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from deadringer.contracts.envelopes import elements, members, rows_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Context, Scope
from deadringer.contracts.timestamps import parse_timestamp

from .rates import RateSeries
from .stores import BoundedStore
from .subjects import Part, Subject, body_of, is_partial, response_subjects, time_of

MOST_CALLERS = 20
MOST_RUNS = 2_000
"""Runs of one caller that are remembered, apart from their details."""
MOST_DETAIL_BYTES = 8 * 2**20
"""Details of all callers that are remembered, as bytes of their responses."""
MOST_WORKFLOWS = 500

_TERMINAL = frozenset({"completed", "failed"})
_OF_WORKFLOW = re.compile(r"/v1/workflows/([^/]+)")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
Run = tuple[str, str]
"""Workflow id and run id."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One good read of a detail; times in seconds, as in `Exchange`."""

    execution: JsonObject
    sent_s: float
    ended_s: float


@dataclass(slots=True)
class _Row:
    """The last row of a run in a list, and the read it was compared with."""

    row: JsonObject
    ended_s: float
    compared: _Read | None = None


@dataclass(slots=True)
class _Timeline:
    """What is remembered of all reads of one run: the first end seen in each source, and 404s."""

    ends: dict[str, JsonObject] = field(default_factory=dict)
    last_read: JsonObject | None = None
    not_found: list[JsonObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Definition:
    """A workflow as it was described, and when (ISO 8601, by the server's clock)."""

    workflow: JsonObject
    described_at: str


_Reads = BoundedStore[tuple[int, Run], _Read]


@dataclass(slots=True)
class _Caller:
    """What is known from the responses to one caller; `all_reads` belongs to all of them."""

    number: int
    all_reads: _Reads
    rates: RateSeries = field(default_factory=RateSeries)
    rows: BoundedStore[Run, _Row] = field(default_factory=lambda: BoundedStore(MOST_RUNS))
    timelines: BoundedStore[Run, _Timeline] = field(default_factory=lambda: BoundedStore(MOST_RUNS))
    owners: BoundedStore[str, JsonObject] = field(default_factory=lambda: BoundedStore(MOST_RUNS))
    logs: BoundedStore[str, JsonObject] = field(default_factory=lambda: BoundedStore(MOST_RUNS))
    tests: BoundedStore[str, tuple[Json, JsonObject]] = field(
        default_factory=lambda: BoundedStore(MOST_RUNS)
    )
    definitions: BoundedStore[str, _Definition] = field(
        default_factory=lambda: BoundedStore(MOST_WORKFLOWS)
    )
    catalogue: frozenset[str] | None = None

    def last_read(self, run: Run) -> _Read | None:
        """Return the last good read of a run that is remembered."""
        return self.all_reads.get((self.number, run))

    def remember(self, run: Run, read: _Read, size: int) -> None:
        """Remember a good read of a run; `size` is that of its response in bytes."""
        self.all_reads.put((self.number, run), read, size)


class Series:
    """The earlier exchanges, by caller; bounded, so that it may go on for ever.

    `base` is what is known from elsewhere. `has_clock` is whether the documents follow the clock of
    the responses (see `response_subjects`).
    """

    def __init__(self, base: Context | None = None, *, has_clock: bool = False) -> None:
        self._base = base or Context()
        self._has_clock = has_clock
        self._callers: BoundedStore[tuple[str, ...], _Caller] = BoundedStore(MOST_CALLERS)
        self._reads: _Reads = BoundedStore(MOST_CALLERS * MOST_RUNS, MOST_DETAIL_BYTES)
        self._numbers = itertools.count()
        self._changed: BoundedStore[str, bool] = BoundedStore(MOST_WORKFLOWS)

    def note_write(self, method: str, path: str) -> None:
        """Note a request that may change a workflow, with a path as in the specification.

        A test may run a draft. So the definition of a changed workflow is not used any more, and
        its runs may be gone.
        """
        found = _OF_WORKFLOW.match(path)
        if found and method not in _READING:
            self._changed.put(found[1], True)

    def subjects(self, exchange: Exchange) -> list[Subject]:
        """Return what the next exchange is to be tested on."""
        caller = self._caller(exchange)
        context = self._context(caller, exchange)
        found = [*response_subjects(exchange, context, has_clock=self._has_clock)]
        if exchange.request_headers.get("x-api-key"):
            bare = replace(exchange, response_body=b"", request_body=None, has_unknown_body=True)
            found += _alone(None, caller.rates.parts(bare), context)
        if exchange.failure is None and not is_partial(exchange):
            found += self._with_earlier(caller, exchange, context)
        return found

    def _caller(self, exchange: Exchange) -> _Caller:
        """Return what is known of the caller: a key, or else a browser by its cookies.

        Another caller may see other things under the same ids.
        """
        headers = exchange.request_headers
        names = ["x-api-key", "authorization", "x-mock-session"]
        names += [] if exchange.carries_key else ["cookie"]
        key = tuple(headers.get(name, "") for name in names)
        caller = self._callers.get(key)
        if caller is None:
            caller = _Caller(next(self._numbers), self._reads)
            self._callers.put(key, caller)
        return caller

    def _context(self, caller: _Caller, exchange: Exchange) -> Context:
        """Return what is known beside the document: the definition, and the catalogue."""
        base = self._base
        context = replace(base, catalogue=base.catalogue or caller.catalogue)
        workflow_id = exchange.path_parameters.get("id", "")
        known = caller.definitions.get(workflow_id)
        if base.definition is not None or known is None or self._changed.get(workflow_id):
            return context
        definition = known.workflow.get("workflow")
        if not isinstance(definition, dict):
            return context
        execution = members(members(body_of(exchange)).get("data"))
        is_test = caller.tests.get(str(execution.get("run_id"))) is not None
        is_doubtful = is_test or _may_have_changed(known, execution)
        return replace(context, definition=definition, definition_may_have_changed=is_doubtful)

    def _with_earlier(
        self, caller: _Caller, exchange: Exchange, context: Context
    ) -> Iterator[Subject]:
        operation, ids = exchange.operation_id, exchange.path_parameters
        run = ids.get("id", ""), ids.get("runId", "")
        data = members(body_of(exchange)).get("data") if exchange.succeeded else None
        if operation == "getExecution" and isinstance(data, dict):
            yield from _detail(caller, run, exchange, data, context)
        elif operation == "getExecution" and exchange.status == 404:
            if not self._changed.get(run[0]):
                yield from _not_found(caller, run, exchange, context)
        elif operation == "listExecutions" and isinstance(data, dict):
            yield from _listed(caller, run[0], exchange, data, context)
        elif operation == "getExecutionVariables" and isinstance(data, dict):
            read = caller.last_read(run)
            if read and _is_terminal(read.execution) and read.ended_s <= exchange.sent_at_s:
                part = Scope.VARIABLES, (data, read.execution), "/data"
                yield Subject(exchange.body, (part,), context)
        else:
            _learn(caller, exchange, data)


def _alone(document: Json, parts: Iterator[Part], context: Context) -> Iterator[Subject]:
    for part in parts:
        yield Subject(document, (part,), context)


def _is_terminal(one: JsonObject) -> bool:
    status = one.get("status")
    return isinstance(status, str) and status in _TERMINAL


def _ended_s(exchange: Exchange) -> float:
    return exchange.sent_at_s + exchange.elapsed_s


def _may_have_changed(known: _Definition, execution: JsonObject) -> bool:
    """Return whether a run may have had another definition than the one that was described."""
    started = parse_timestamp(execution.get("started_at"))
    updated = parse_timestamp(known.workflow.get("updated"))
    described = parse_timestamp(known.described_at)
    if started is None or updated is None or described is None:
        return True
    return updated > started or started > described


def _learn(caller: _Caller, exchange: Exchange, data: Json) -> None:
    """Remember what a response shows that later ones are tested with."""
    items = elements(members(data).get("items"))
    if exchange.operation_id == "listActions" and not exchange.query:
        kinds = {members(item).get("kind") for item in items}
        named = frozenset(kind for kind in kinds if isinstance(kind, str))
        caller.catalogue = named or caller.catalogue
    elif exchange.operation_id == "getWorkflow" and isinstance(data, dict):
        _describe(caller, data, exchange)
    elif exchange.operation_id == "listWorkflows":
        for item in items:
            _describe(caller, members(item), exchange)
    elif exchange.operation_id == "testWorkflow" and isinstance(data, dict):
        run_id = data.get("test_run_id")
        if isinstance(run_id, str):
            caller.tests.put(run_id, (exchange.request_body, data))


def _describe(caller: _Caller, workflow: JsonObject, exchange: Exchange) -> None:
    workflow_id = workflow.get("id")
    if isinstance(workflow_id, str) and isinstance(workflow.get("workflow"), dict):
        caller.definitions.put(workflow_id, _Definition(workflow, time_of(exchange)))


def _timed(source: str, status: Json, exchange: Exchange) -> JsonObject:
    return {
        "from": source,
        "status": status if isinstance(status, str) else None,
        "sent_s": exchange.sent_at_s,
        "received_s": _ended_s(exchange),
    }


def _timeline(caller: _Caller, run: Run) -> _Timeline:
    found = caller.timelines.get(run)
    if found is None:
        found = _Timeline()
        caller.timelines.put(run, found)
    return found


def _in_time(
    caller: _Caller, run: Run, source: str, status: Json, exchange: Exchange, context: Context
) -> Iterator[Subject]:
    """Yield the read of one source with the end that the other source has shown before."""
    timeline, one = _timeline(caller, run), _timed(source, status, exchange)
    other = timeline.ends.get("list" if source == "detail" else "detail")
    if other is not None:
        both = [other, one]
        yield Subject(both, ((Scope.TIMELINE, (both,), ""),), context)
    if isinstance(status, str) and status in _TERMINAL:
        timeline.ends.setdefault(source, one)
    if source == "detail":
        timeline.last_read, timeline.not_found = one, []


def _not_found(
    caller: _Caller, run: Run, exchange: Exchange, context: Context
) -> Iterator[Subject]:
    """Yield two reads in a row with 404, if there was a good one before."""
    timeline, one = _timeline(caller, run), _timed("detail", None, exchange)
    last = timeline.last_read
    if last is None or last["received_s"] > exchange.sent_at_s:
        return
    timeline.not_found.append(one)
    if len(timeline.not_found) == 2:
        reads = [last, *timeline.not_found]
        yield Subject(reads, ((Scope.TIMELINE, (reads,), ""),), context)
        timeline.last_read = None


def _detail(
    caller: _Caller, run: Run, exchange: Exchange, execution: JsonObject, context: Context
) -> Iterator[Subject]:
    yield from _in_time(caller, run, "detail", execution.get("status"), exchange, context)
    earlier = caller.last_read(run)
    if earlier and earlier.ended_s <= exchange.sent_at_s:
        part = Scope.READS, (earlier.execution, execution), "/data"
        yield Subject(exchange.body, (part,), context)
    read = _Read(execution, exchange.sent_at_s, _ended_s(exchange))
    caller.remember(run, read, len(exchange.response_body))
    yield from _of_one_log(caller, execution, context)
    row = caller.rows.get(run)
    if row and row.ended_s <= read.sent_s and _is_same_end(row.row, execution):
        yield _compared(row, 0, read, context)
    test = caller.tests.get(run[1])
    if test and _is_terminal(execution):
        caller.tests.drop(run[1])
        yield Subject(
            execution, ((Scope.TEST_RUN, (test[0] or {}, test[1], execution), ""),), context
        )


def _of_one_log(caller: _Caller, execution: JsonObject, context: Context) -> Iterator[Subject]:
    """Yield the ids of two runs, if they have one log id."""
    log_id = execution.get("id")
    if not isinstance(log_id, str):
        return
    ids = {name: execution.get(name) for name in ("id", "run_id")}
    other = caller.logs.get(log_id)
    if other is None:
        caller.logs.put(log_id, ids)
    elif other != ids:
        yield Subject([other, ids], ((Scope.RUNS, ([other, ids],), ""),), context)


def _is_same_end(row: JsonObject, execution: JsonObject) -> bool:
    """Return whether a row and a detail show the same end, after which neither changes."""
    return _is_terminal(row) and row.get("status") == execution.get("status")


def _compared(row: _Row, index: int, read: _Read, context: Context) -> Subject:
    row.compared = read
    document = {"row": row.row, "index": index, "execution": read.execution}
    return Subject(document, ((Scope.LISTED_RUN, (row.row, read.execution), ""),), context)


def _listed(
    caller: _Caller, workflow_id: str, exchange: Exchange, data: JsonObject, context: Context
) -> Iterator[Subject]:
    for index, row in enumerate(rows_of(data)):
        run_id = row.get("run_id")
        if not isinstance(run_id, str):
            continue
        run, now = (workflow_id, run_id), _Row(row, _ended_s(exchange))
        yield from _in_time(caller, run, "list", row.get("status"), exchange, context)
        before = caller.rows.get(run)
        if before and before.ended_s <= exchange.sent_at_s:
            yield Subject(row, ((Scope.ROWS, (before.row, row), ""),), context)
            now.compared = before.compared if before.row == row else None
        caller.rows.put(run, now)
        yield from _owned(caller, workflow_id, run_id, row, context)
        read = caller.last_read(run)
        if read and read is not now.compared and _is_comparable(before, now, read, exchange):
            yield _compared(now, index, read, context)


def _is_comparable(before: _Row | None, now: _Row, read: _Read, exchange: Exchange) -> bool:
    """Return whether a row and a detail must agree: both are over, or the row did not change."""
    if read.ended_s > exchange.sent_at_s:
        return False
    stood_still = before is not None and before.row == now.row and before.ended_s <= read.sent_s
    return stood_still or _is_same_end(now.row, read.execution)


def _owned(
    caller: _Caller, workflow_id: str, run_id: str, row: JsonObject, context: Context
) -> Iterator[Subject]:
    """Yield a run that is in the lists of two workflows."""
    one = {"workflow_id": workflow_id, "row": row}
    other = caller.owners.get(run_id)
    caller.owners.put(run_id, one)
    if other is None or other["workflow_id"] != workflow_id:
        owners = [one] if other is None else [other, one]
        yield Subject(owners, ((Scope.OWNERS, (owners,), ""),), context)
