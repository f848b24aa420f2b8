"""The price of runs, and the credits a session has left."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from deadringer import fixtures
from deadringer.contracts import JsonObject, format_timestamp

from .sessions import Session

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

STARTING_BALANCE = 4250
PLAN = "PRO"


def price_of(plan: "RunPlan", catalogue: Iterable[JsonObject], mocks: JsonObject) -> float:
    """Return the price of one run in credits, charged in full when it starts.

    Every step that will run counts, in a loop once per item; a branch that is not taken and a
    mocked action cost nothing.
    """
    prices = {action["kind"]: action.get("creditCost") or 0 for action in catalogue}
    mocked = {action_id for action_id, mock in mocks.items() if mock.get("enabled")}
    return sum(
        prices.get(step.document["operation"], 0)
        for step in plan.steps
        if step.document["status"] != "skipped"
        and step.started_at < fixtures.FOREVER
        and step.document["step_id"] not in mocked
    )


def credits_left(session: Session, now: datetime) -> float:
    """Return the credits left in the month of `now`; every month begins with a full balance.

    Never negative, though runs started by the control API may cost more than is left.
    """
    spent = session.started.spent_in(now)
    return max(0, STARTING_BALANCE - spent)


def balance_of(session: Session, now: datetime) -> JsonObject:
    """Return the balance document: the credits left and the time of the next reset."""
    return {
        "balance": int(credits_left(session, now)),
        "subscription_plan": PLAN,
        "next_reset": format_timestamp(_following_month(now)),
    }


def _month(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _following_month(moment: datetime) -> datetime:
    month = moment.month % 12 + 1
    return _month(moment).replace(month=month, year=moment.year + (month == 1))
