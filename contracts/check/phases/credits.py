"""Test whether reads cost credits: compare the balance before and after, on an idle account."""

from collections.abc import Callable

from deadringer.contracts.check.session import CheckSession, KnownRun, body_of
from deadringer.contracts.envelopes import members
from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Scope

from .reads import read_run

READS_BETWEEN = 3


def probe_costs(session: CheckSession, run: KnownRun, sleep: Callable[[float], None]) -> None:
    """Read a run between two reads of the balance.

    If the balance changed, read it again without other requests: on an account used by others the
    test proves nothing, and the report's notes state that.
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
    """Return whether the balance changes while only the balance is read.

    A server that charges for every read charges for these too, so only a change that differs from
    the previous one shows another user.
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
