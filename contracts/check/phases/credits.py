"""Tests that reads change nothing: not the balance, not the number of runs, not their order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from deadringer.contracts.check.session import CheckSession, KnownRun
from deadringer.contracts.envelopes import members, rows_of, total_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Scope
from deadringer.contracts.traffic import body_of

LONGEST_IDLE_S = 3.0
FEW_READS = (2, 5)
MANY_READS = (10, 20)
"""How often each kind is read, twice, where something has changed."""
PAGE = {"page": "1", "page_size": "100"}
_KINDS = {
    "getExecution": "details",
    "listExecutions": "lists of runs",
    "getExecutionVariables": "variables",
    "listActions": "the catalogue",
    "listWorkflows": "the list of workflows",
    "getWorkflow": "workflows",
}

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What reads must not change: balance and listed runs, each with its response."""

    balance: Json = None
    balance_exchange: Exchange | None = None
    listed: tuple[str, ...] | None = None
    list_exchange: Exchange | None = None
    total: int = 0

    @property
    def received_s(self) -> float:
        """Return when the last response arrived (monotonic seconds); 0 if there was none."""
        exchange = self.list_exchange or self.balance_exchange
        return exchange.sent_at_s + exchange.elapsed_s if exchange is not None else 0.0


def probe_costs(
    session: CheckSession,
    run: KnownRun,
    sleep: Sleep,
    reads: tuple[int, int] = FEW_READS,
    times: int = 3,
) -> None:
    """Read everything several times between two looks at balance and list, kind by kind if need be.

    All kinds together first. If something changed, each kind alone, twice: an account that others
    use changes by itself, which proves nothing and is noted instead.
    """
    before = _snapshot(session, run)
    kinds = _kinds(session, run)
    for operation_id, parameters in kinds.items():
        _read(session, operation_id, parameters, max(times, reads[0] if reads == MANY_READS else 0))
    after = _snapshot(session, run)
    cost, moves = _costs(before, after), before.listed != after.listed
    if not cost:
        _apply_balance(session, before, after)
    if not moves:
        _apply_lists(session, before, after, "everything")
    if not cost and not moves:
        return
    _isolate_balance(session)
    for operation_id, parameters in kinds.items():
        _isolate(session, run, operation_id, parameters, reads, sleep)


def probe_whole_cost(session: CheckSession, run: KnownRun, first: Json, sleep: Sleep) -> None:
    """Compare the balance with the first one of the check; look closer if it has fallen."""
    last = _snapshot(session, run)
    if first is None or last.balance is None or _number(last.balance) == _number(first):
        return
    probe_costs(session, run, sleep, MANY_READS)


def read_balance(session: CheckSession) -> Json:
    """Return the data of the credit balance, None if the server has none."""
    if not session.offers("getCreditBalance"):
        return None
    return session.good_data(session.request("getCreditBalance", optional=True))


def _kinds(session: CheckSession, run: KnownRun) -> dict[str, Mapping[str, str]]:
    """Return the path parameters of each operation that reads and has succeeded."""
    ids = {"id": run.workflow_id, "runId": run.run_id}
    return {
        one: {name: ids[name] for name in session.operations[one].path_parameters}
        for one in _KINDS
        if one in session.present and session.offers(one)
    }


def _read(
    session: CheckSession, operation_id: str, parameters: Mapping[str, str], times: int
) -> None:
    for _ in range(times):
        session.request(operation_id, parameters)


def _isolate_balance(session: CheckSession) -> None:
    """Report a balance that falls with every look at it, and by nothing else."""
    if not session.offers("getCreditBalance"):
        return
    seen = []
    for _ in range(4):
        exchange = session.request("getCreditBalance", optional=True)
        seen.append(_Snapshot(session.good_data(exchange), exchange))
    changes = {_change(one, other) for one, other in pairwise(seen)}
    if len(changes) == 1 and changes != {0.0} and None not in changes:
        _apply_balance(session, seen[0], seen[-1])


def _isolate(
    session: CheckSession,
    run: KnownRun,
    operation_id: str,
    parameters: Mapping[str, str],
    reads: tuple[int, int],
    sleep: Sleep,
) -> None:
    """Read one kind alone, few times and more often; report what changes in proportion to that.

    The looks at balance and list are reads too; what they change themselves is subtracted.
    """
    idle = [_snapshot(session, run)]
    sleep(0.2)
    idle.append(_snapshot(session, run))
    own = _change(*idle) or 0.0
    is_still = idle[0].listed == idle[1].listed or operation_id == "listExecutions"
    seen = [idle[1]]
    for times in reads:
        _read(session, operation_id, parameters, times)
        seen.append(_snapshot(session, run))
    pairs = list(pairwise(seen))
    # As long as the reads took, nothing is sent: what others do meanwhile shows there too.
    sleep(min(LONGEST_IDLE_S, seen[-1].received_s - seen[-2].received_s))
    rest = _snapshot(session, run)
    is_busy = ((_change(seen[-1], rest) or 0.0) - own) != 0.0
    costs = [(_change(one, other) or 0.0) - own for one, other in pairs]
    if operation_id == "listExecutions":
        costs = [cost + own for cost in costs]
    looks = 1 if operation_id == "listExecutions" else 0
    if not is_busy and _in_proportion(costs, reads, looks):
        _apply_balance(session, seen[0], seen[-1])
    elif any(costs):
        _note_busy(session, "the credit balance changes by itself: cost of reads not tested")
    moved = [one.listed != other.listed for one, other in pairs]
    added = [float(other.total - one.total) for one, other in pairs]
    is_still = is_still and (seen[-1].listed == rest.listed or operation_id == "listExecutions")
    if all(moved) and is_still and (not any(added) or _in_proportion(added, reads, looks)):
        _apply_lists(session, seen[0], seen[-1], _KINDS[operation_id])
    elif any(moved):
        _note_busy(session, "the list of runs changes by itself: effects of reads not tested")


def _in_proportion(changes: list[float], reads: tuple[int, int], looks: int) -> bool:
    """Return whether both changes are the same for each read; `looks` more are in each."""
    first, second = (count + looks for count in reads)
    expected = changes[0] * second / first
    # Where every third read counts, a round may have one more or less than its share.
    allowed = 2.0 if abs(changes[0]) >= 3 and first >= MANY_READS[0] else 0.0
    return abs(changes[0]) >= 2 and abs(changes[1] - expected) <= allowed


def _note_busy(session: CheckSession, line: str) -> None:
    if line not in session.notes:
        session.notes.append(line)


def _snapshot(session: CheckSession, run: KnownRun) -> _Snapshot:
    balance = exchange = listed = page = None
    total = 0
    if session.offers("getCreditBalance"):
        exchange = session.request("getCreditBalance", optional=True)
        balance = session.good_data(exchange)
    if "listExecutions" in session.present:
        page = session.request("listExecutions", {"id": run.workflow_id}, query=PAGE)
        data = session.good_data(page)
        if data is not None:
            total = total_of(data) or 0
            listed = (*(str(row.get("run_id")) for row in rows_of(data)), f"total {total}")
    return _Snapshot(balance, exchange, listed, page, total)


def _costs(before: _Snapshot, after: _Snapshot) -> bool:
    return bool(_change(before, after))


def _change(before: _Snapshot, after: _Snapshot) -> float | None:
    """Return by how much the balance changed, None if it is not known."""
    had, has = _number(before.balance), _number(after.balance)
    return None if had is None or has is None else has - had


def _number(data: Json) -> float | None:
    try:
        return float(str(members(data).get("balance")))
    except ValueError:
        return None


def _apply_balance(session: CheckSession, before: _Snapshot, after: _Snapshot) -> None:
    if before.balance is None or after.balance is None or after.balance_exchange is None:
        return
    session.recorder.apply(
        Scope.BALANCE,
        before.balance,
        after.balance,
        context=session.context(),
        exchange=after.balance_exchange,
        document=body_of(after.balance_exchange),
        below="/data",
    )


def _apply_lists(session: CheckSession, before: _Snapshot, after: _Snapshot, kind: str) -> None:
    if before.listed is None or after.listed is None or after.list_exchange is None:
        return
    session.recorder.apply(
        Scope.LISTS,
        list(before.listed),
        list(after.listed),
        kind,
        context=session.context(),
        exchange=after.list_exchange,
        document=body_of(after.list_exchange),
    )
