"""Safe access to documents of any shape: a value of an unexpected type counts as absent."""

import re
from collections.abc import Iterator
from datetime import datetime

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import milliseconds_between, parse_timestamp
from deadringer.contracts.violations import show

LARGEST_EXACT = 2**53
"""Doubles hold every whole number up to here."""
_LARGEST = 1e300
_NUMBERS = (int, float)
_SECONDS = re.compile(r":\d{2}:\d{2}(?:[.,](?P<fraction>\d+))?(?:[Zz]|[+-][\d:]+)$", re.ASCII)
_ABSENT = object()


def members(value: Json) -> JsonObject:
    """Return an object's members; none for anything else."""
    return value if isinstance(value, dict) else {}


def elements(value: Json) -> list[Json]:
    """Return an array's elements; none for anything else."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str | None:
    """Return a text, or None for anything else."""
    return value if isinstance(value, str) else None


def number(value: object) -> float | None:
    """Return a number that is safe for arithmetic, or None for anything else (true is not a
    number).

    Up to 2^53 it is exact. Beyond that it is the nearest double within 1e300, so that sums and
    differences with it are finite: rule DR141 reports the number itself.
    """
    if value is None or isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    if value != value:  # NaN
        return None
    if -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return value
    return float(max(-_LARGEST, min(value, _LARGEST)))


def whole(value: Json) -> int | None:
    """Return a number without a fraction (`20.0` too), or None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def shown(value: Json) -> str:
    """Return a value as `show` formats it, including values that are nested too deeply for it."""
    try:
        return show(value)
    except RecursionError:
        return "a very deeply nested value"


def precision_ms(timestamp: str) -> float:
    """Return the precision of a timestamp in ms: 1000 for whole seconds, 1 for milliseconds."""
    match = _SECONDS.search(timestamp)
    if match is None:
        return 60_000.0
    return float(1000.0 / 10 ** min(len(match["fraction"] or ""), 6))


def coarseness_ms(*timestamps: Json) -> float:
    """Return the total error, in ms, of the timestamps that are coarser than a millisecond."""
    coarse = (precision_ms(one) for one in timestamps if isinstance(one, str))
    return sum(one for one in coarse if one > 1)


def name_one_moment(left: Json, right: Json) -> bool | None:
    """Return whether two timestamps can name one moment, at the precision of the coarser one.

    None if either is not a timestamp.
    """
    moments = moment(left), moment(right)
    if moments[0] is None or moments[1] is None:
        return None
    apart_ms = abs(milliseconds_between(moments[0], moments[1]))
    return apart_ms == 0 or apart_ms < max(precision_ms(left), precision_ms(right))


def moment(value: Json) -> datetime | None:
    """Return the moment a timestamp names, or None for anything else."""
    return parse_timestamp(value)


def differences(left: Json, right: Json) -> Iterator[tuple[tuple[str | int, ...], Json, Json]]:
    """Yield (path, left value, right value) wherever two documents differ, in document order.

    Numbers are compared as numbers (4320 is 4320.0), and an absent member is a null one. Arrays
    of unequal length differ as a whole, after their common elements.
    """
    waiting: list[tuple[tuple[str | int, ...], Json, Json]] = [((), left, right)]
    while waiting:
        path, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            names = list(dict.fromkeys([*one, *other]))
            pairs = [((*path, name), one.get(name), other.get(name)) for name in names]
            waiting += reversed(pairs)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                # Pushed first, so that it is yielded after the common elements.
                waiting.append((path, _Length(len(one)), _Length(len(other))))
            both = [((*path, at), *pair) for at, pair in enumerate(zip(one, other, strict=False))]
            waiting += reversed(both)
        elif not _same_scalar(one, other):
            yield path, _plain(one), _plain(other)


def equal(left: Json, right: Json) -> bool:
    """Return whether two documents are equal (see `differences`)."""
    if isinstance(left, str):  # what is compared most
        return bool(left == right)
    return next(differences(left, right), _ABSENT) is _ABSENT


class _Length:
    """The number of elements of an array, as a difference between arrays."""

    def __init__(self, elements: int) -> None:
        self.elements = elements


def _plain(value: Json) -> Json:
    return f"{value.elements} elements" if isinstance(value, _Length) else value


def _same_scalar(left: Json, right: Json) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, float) and left != left and right != right:
        return True
    # A dict, a list and a length are never equal to a scalar, nor to one another here.
    return bool(left == right)
