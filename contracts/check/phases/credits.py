"""Tests whether reads cost credits: the balance before and after, on an idle account."""

from collections.abc import Callable

from deadringer.contracts.check.session import CheckSession, KnownRun, body_of
from deadringer.contracts.envelopes import members
from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Scope

from .reads import read_run

READS_BETWEEN = 3


def probe_costs(session: CheckSession, run: KnownRun, sleep: Callable[[float], None]) -> None:
    """Read a run between two looks at the balance.

    If the balance moved, look again without reading: an account that others spend from proves
    nothing, and is told in the notes instead.
    """
    if not session.offers("getCreditBalance"):
        return
    before = _balance(session)
    if before is None:
        return
    for _ in range(READS_BETWEEN):
        read_run(session, run)
    exchange = session.request("getCreditBalance")
    after = session.good_data(exchange)
    if after is None:
        return
    if members(after).get("balance") != members(before).get("balance") and _is_busy(
        session, after, sleep
    ):
        session.notes.append("the credit balance changes by itself: cost of reads not tested")
        return
    session.recorder.apply(
        Scope.BALANCE,
        before,
        after,
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
        below="/data",
    )


def _is_busy(session: CheckSession, latest: Json, sleep: Callable[[float], None]) -> bool:
    """Return whether the balance changes while nothing but the balance is read, twice in a row.

    A server that charges for every read charges for these too, so only a change that differs
    from the one before tells of somebody else.
    """
    changes = []
    for _ in range(2):
        sleep(0.2)
        current = _balance(session)
        changes.append(_difference(latest, current))
        latest = current
    return any(changes) and changes[0] != changes[1]


def _balance(session: CheckSession) -> Json:
    return session.good_data(session.request("getCreditBalance", optional=True))


def _difference(earlier: Json, later: Json) -> float | None:
    try:
        return float(str(members(later).get("balance"))) - float(
            str(members(earlier).get("balance"))
        )
    except (TypeError, ValueError):
        return None
