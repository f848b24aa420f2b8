"""All rules in the order of reports, and their selection by name, id or group."""

from collections.abc import Iterable

from deadringer.contracts.suggestions import nearest_names

from . import (
    auth,
    catalogue,
    cost,
    definitions,
    error_tracing,
    http_requests,
    http_responses,
    identity,
    interoperability,
    list_pages,
    list_rows,
    listed_runs,
    mapping,
    not_found,
    ordering,
    rate_limit,
    reads,
    shape,
    status,
    timelines,
    times,
    trial_runs,
    variables,
)
from .model import Group, Rule

_MOST_SUGGESTED = 5
_SHORTEST_PART = 3
"""Characters of an unknown name from which on names that contain it are suggested."""
_ORDER = {group: place for place, group in enumerate(Group)}
_ALL: tuple[Rule, ...] = (
    *shape.RULES,
    *interoperability.RULES,
    *identity.RULES,
    *status.RULES,
    *times.RULES,
    *error_tracing.RULES,
    *ordering.RULES,
    *mapping.RULES,
    *definitions.RULES,
    *reads.RULES,
    *timelines.RULES,
    *list_rows.RULES,
    *list_pages.RULES,
    *listed_runs.RULES,
    *variables.RULES,
    *catalogue.RULES,
    *trial_runs.RULES,
    *http_responses.RULES,
    *http_requests.RULES,
    *auth.RULES,
    *not_found.RULES,
    *rate_limit.RULES,
    *cost.RULES,
)

RULES = tuple(sorted(_ALL, key=lambda rule: _ORDER[rule.group]))
"""All rules, in the order of reports: by group, then as defined."""


def rule_named(name: str) -> Rule:
    """Return the rule with a name or id.

    Raises:
        ValueError: if there is none; the message suggests similar names.
    """
    for rule in RULES:
        if name in {rule.name, rule.id}:
            return rule
    raise ValueError(_unknown(name, [rule.name for rule in RULES]))


def select(only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Return the rules named in `only` (all if it is empty) without those in `skip`.

    Names are rule names, rule ids or group names.

    Raises:
        ValueError: if a name is unknown; the message suggests similar names.
    """
    wanted = _named(only)
    unwanted = _named(skip)
    return tuple(one for one in RULES if (not only or one in wanted) and one not in unwanted)


def _named(names: Iterable[str]) -> set[Rule]:
    found: set[Rule] = set()
    for name in names:
        matching = {rule for rule in RULES if name in {rule.name, rule.id, rule.group.value}}
        if not matching:
            known = [*(rule.name for rule in RULES), *(group.value for group in Group)]
            raise ValueError(_unknown(name, known))
        found |= matching
    return found


def _unknown(name: str, known: list[str]) -> str:
    """Return an error with the names that contain an unknown one, or are similar to it."""
    near = [one for one in known if len(name) >= _SHORTEST_PART and name in one]
    near = sorted(near, key=lambda one: one.index(name))[:_MOST_SUGGESTED]
    near = near or nearest_names(name, known, least_likeness=0.6)
    guess = f"Did you mean {', '.join(near)}? " if near else ""
    groups = [group.value for group in Group if group.value in known]
    choice = f"The groups are {', '.join(groups)}. " if groups else ""
    return (
        f"There is no rule or group {name!r}. {guess}{choice}"
        "The page /__mock/ui/rules of `deadringer serve` lists all rules."
    )
