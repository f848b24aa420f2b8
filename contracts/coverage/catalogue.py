"""All items of coverage, and which of them one exchange meets."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.specification import operations

from .derived import derived_situations
from .lists import LIST_SITUATIONS
from .model import CoverageItem, ExchangePart, RunRead, Situation
from .parts import parts_of
from .responses import met_responses, response_items
from .runs import RUN_SITUATIONS
from .series import SERIES_SITUATIONS
from .transport import TRANSPORT_SITUATIONS


@cache
def situations() -> tuple[Situation, ...]:
    """Return every situation: runs, lists, series of reads, transport."""
    return (
        *derived_situations(),
        *RUN_SITUATIONS,
        *LIST_SITUATIONS,
        *SERIES_SITUATIONS,
        *TRANSPORT_SITUATIONS,
    )


@cache
def coverage_items() -> Mapping[str, CoverageItem]:
    """Return every item by its id, section by section."""
    items = (*response_items(), *(one.item for one in situations()))
    return {item.id: item for item in items}


Matching = tuple[tuple[str, Callable[[Any], bool]], ...]
"""Ids of items, each with what decides about it."""


@cache
def _by_place() -> Mapping[ExchangePart, Matching]:
    return {
        place: tuple(
            (one.item.id, one.matches)
            for one in situations()
            if one.found_in is place and one.matches is not None
        )
        for place in ExchangePart
    }


@cache
def series() -> tuple[tuple[str, Callable[[RunRead, RunRead], bool]], ...]:
    """Return the ids of the situations that need two reads, each with what decides about it."""
    return tuple(
        (one.item.id, one.matches_after) for one in situations() if one.matches_after is not None
    )


@cache
def _methods() -> Mapping[str, str]:
    return {one.operation_id: one.method for one in operations()}


def is_of_the_api(exchange: Exchange) -> bool:
    """Return whether an exchange is a request of an operation, by its own method."""
    return _methods().get(str(exchange.operation_id)) == exchange.method


def items_met(exchange: Exchange) -> Iterator[str]:
    """Yield the ids of the items that an exchange of an operation meets by itself."""
    known = coverage_items()
    yield from (one for one in met_responses(exchange) if one in known)
    by_place = _by_place()
    for place, parts in parts_of(exchange).items():
        for item, matches in by_place[place]:
            if any(map(matches, parts)):
                yield item
