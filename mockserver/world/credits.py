"""What runs cost, and what a session has left to spend."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from deadringer import fixtures
from deadringer.contracts import JsonObject, format_timestamp
from deadringer.mockserver.state.clock import milliseconds_of

from .sessions import Session

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

STARTING_BALANCE = 4250
PLAN = "PRO"


def price_of(plan: "RunPlan", catalogue: Iterable[JsonObject], mocks: JsonObject) -> float:
    """Return the credits of one run by the catalogue, whole at its start.

    Each step that will have run counts, so a loop counts by its items; a branch that is not
    taken and a mocked action cost nothing.
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
    """Return what can still be spent in the month of a time, which begins with a full balance.

    Runs started by command may cost more than there is.
    """
    begins, ends = (milliseconds_of(one) for one in (_month(now), _following_month(now)))
    spent = sum(
        run.price
        for run in [*session.started.values()]  # another thread may start one meanwhile
        if begins <= run.started_at < ends
    )
    return max(0, STARTING_BALANCE - spent)


def balance_of(session: Session, now: datetime) -> JsonObject:
    """Return the credits left, and the first of next month, when they are full again."""
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
