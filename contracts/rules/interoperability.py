"""Rules about JSON that is valid and that readers still read differently."""

import math
from collections.abc import Iterator, Sequence

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import shown
from .model import Context, Group, Mismatch, Scope, rule

LARGEST_SAFE = 2**53 - 1
_HOLDERS = (dict, list)
_NUMBERS = (int, float)
FREE = frozenset(
    {"input", "output", "mapped_output", "error", "workflow", "overrides", "test_config"}
)
"""Members whose content the contract leaves open."""
INTEGERS = frozenset(
    {
        "duration_ms",
        "duration",
        "iteration",
        "total_items",
        "page",
        "page_size",
        "total",
        "total_count",
        "total_pages",
        "execution_count",
    }
)
"""Members that are documented as integers, or are counts."""


@rule(
    "DR159",
    group=Group.SHAPE,
    severity=Severity.WARNING,
    scope=Scope.TEXT,
    source="RFC 8259, section 4: the names within an object SHOULD be unique",
    needs="a JSON document",
)
def members_stand_once(
    _value: Json, repeated: Sequence[str], _context: Context
) -> Iterator[Mismatch]:
    """No object has two members of one name.

    Some readers take the first, most the last, others refuse the document. Example:
    `{"status": "failed", "status": "completed"}` is a failed or a completed run.
    """
    for pointer in repeated:
        yield Mismatch(
            pointer,
            "one member of this name",
            "the member more than once in one object",
            "write each member once",
        )


REPEATED = frozenset({"page", "page_size", "limit", "offset"})
"""Members that repeat a number of the request, whatever its size."""


@rule(
    "DR160",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.TEXT,
    source="RFC 8259, section 6: numbers and integers on which readers agree",
    needs="a JSON document",
)
def numbers_are_read_alike(
    value: Json, _repeated: Sequence[str], _context: Context
) -> Iterator[Mismatch]:
    """Every reader gets the same number: an integer field stays within 2^53 - 1, no number is
    beyond a double.

    JavaScript reads all numbers as doubles. A larger integer loses digits there, and `1E400` is
    infinite or an error. In free content, such as `output`, it is only a warning. Example: a
    `duration_ms` of 10000000000000000.
    """
    if _has_only_safe_numbers(value):
        return
    waiting: list[tuple[str, str, Json, bool]] = [("", "", value, False)]
    while waiting:
        pointer, name, one, is_free = waiting.pop()
        if isinstance(one, dict):
            for key, child in one.items():
                waiting.append((pointer + pointer_to(key), key, child, is_free or key in FREE))
        elif isinstance(one, list):
            waiting += [(f"{pointer}/{at}", "", child, is_free) for at, child in enumerate(one)]
        elif isinstance(one, int | float) and not isinstance(one, bool):
            is_documented = name in INTEGERS and name not in REPEATED
            yield from _number_mismatches(pointer, one, is_free=is_free or not is_documented)


def _has_only_safe_numbers(value: Json) -> bool:
    """Return whether every number is exact in every reader; quick, because most documents are."""
    waiting: list[Json] = [[value]]
    while waiting:
        holder = waiting.pop()
        for one in holder.values() if isinstance(holder, dict) else holder:
            if one is None or isinstance(one, str):
                continue
            if isinstance(one, _HOLDERS):
                waiting.append(one)
            elif isinstance(one, _NUMBERS) and not -LARGEST_SAFE <= one <= LARGEST_SAFE:
                return False
    return True


def _number_mismatches(pointer: str, number: float, *, is_free: bool) -> Iterator[Mismatch]:
    is_infinite = isinstance(number, float) and math.isinf(number)
    if number != number:  # not math.isnan, which refuses large integers
        fix = "send null, or a text"
        yield Mismatch(pointer, "a JSON number", "NaN, which is none", fix)
    elif not is_free and abs(number) > LARGEST_SAFE:
        fix = "send a number of the documented unit, or correct the arithmetic"
        got = "a number beyond a double" if is_infinite else shown(number)
        yield Mismatch(pointer, f"an integer not beyond {LARGEST_SAFE}", got, fix)
    elif is_infinite:
        expected = "a number within the range of a double"
        fix = "send a smaller number, or a text"
        got = "a number beyond a double"
        yield Mismatch(pointer, expected, got, fix, Severity.WARNING)


RULES = (members_stand_once, numbers_are_read_alike)
