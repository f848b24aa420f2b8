"""Rules about credits: reading is free."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity

from .json_values import members, number, shown, text
from .model import Context, Group, Mismatch, Scope, rule

LONGEST_NUMBER = 40


def _balance(data: Json) -> Decimal | None:
    """Return a balance as a number. It is documented as a number, but clients handle text too."""
    value = members(data).get("balance")
    if not isinstance(value, str) and number(value) is None:
        return None
    try:
        balance = Decimal(str(value).strip()) if len(str(value)) <= LONGEST_NUMBER else None
    except InvalidOperation:
        return None
    return balance if balance is not None and balance.is_finite() else None


def _is_comparable(before: Json, after: Json, _context: Context) -> bool:
    if _balance(before) is None or _balance(after) is None:
        return False
    # A reset of the credits between the two reads also changes the balance.
    resets = text(members(before).get("next_reset")), text(members(after).get("next_reset"))
    return resets[0] == resets[1]


@rule(
    "DR043",
    group=Group.COST,
    severity=Severity.ERROR,
    scope=Scope.BALANCE,
    source="Execution Detail: free, no credits; Get Credit Balance",
    when=_is_comparable,
    needs="the credit balance before and after reads on a quiet account",
)
def reads_cost_nothing(before: Json, after: Json, _context: Context) -> Iterator[Mismatch]:
    """Reading costs no credits: the balance before and after is the same.

    Clients rely on free polling. Balances are compared as numbers, whether sent as numbers or as
    text. A balance that grows is not a charge and only a warning. Example: 4250 before and 4249
    after three reads of one run.
    """
    had, has = _balance(before), _balance(after)
    if had is None or has is None or had == has:
        return
    yield Mismatch(
        "/balance",
        f"{had}, as before the reads",
        shown(members(after).get("balance")),
        "charge only for the actions of a run, never for reads",
        Severity.WARNING if has > had else None,
    )


RULES = (reads_cost_nothing,)
