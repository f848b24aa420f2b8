"""Invariants that hold in every one of many documents: candidates for rules.

In the manner of Daikon, which AGORA+ applies to responses of REST APIs: every instance of a few
templates over the members of one kind of document is assumed, and dropped at the first document
that contradicts it. What is left is true of the sample, by contract or by accident.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import permutations
from typing import Any

from deadringer.contracts import Json, milliseconds_between, parse_timestamp

FEW = 6
"""At most so many values are an enumeration."""
ENOUGH = 30
"""An invariant must have applied to so many documents."""
FORMS = {
    "a time in UTC with milliseconds": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "digits": re.compile(r"\d+"),
    "a word": re.compile(r"[A-Za-z0-9_-]+"),
    "not blank": re.compile(r".*\S.*", re.DOTALL),
}
"""Forms of text; the first that fits all values of a member is its form."""

Column = dict[int, Any]
"""The values of a member by the number of the document; those without it, or with null, lack."""


def invariants_of(
    documents: Iterable[Json], *, known: Collection[str] = (), opaque: Collection[str] = ()
) -> list[str]:
    """Return the invariants of documents of one kind, as sentences in a stable order.

    A member is written as its path (`data.run_id`); absent and null are one. Objects in arrays are
    left out: pass them as documents of their own. `len(a)` is the length of an array, `span(a)` the
    milliseconds from the `started_at` beside the time `a` to it.

    An invariant is about more than the parts that are `known` at the top of each document. Of a
    member with a name in `opaque` only the presence counts.
    """
    rows = [dict(_flattened(one, "", opaque)) for one in documents]
    columns = _columns(rows)
    distinct, found = _without_equal(columns, known)
    for name in distinct:
        if not _is_known(name, known):
            found += _of_one(name, columns[name], len(rows))
    ordered = {name: _ordered(columns[name]) for name in distinct}
    for one, other in permutations(distinct, 2):
        if not (_is_known(one, known) and _is_known(other, known)):
            found += _of_presence(one, other, columns, len(rows))
            found += _of_order(one, other, ordered)
    return found


def _flattened(node: Json, path: str, opaque: Collection[str]) -> Iterator[tuple[str, Json]]:
    """Yield paths and values; {} stands for an object that is empty or opaque."""
    if path.rpartition(".")[2] in opaque and node is not None:
        yield path, {}
    elif isinstance(node, dict) and node:
        for name, value in node.items():
            yield from _flattened(value, f"{path}.{name}".lstrip("."), opaque)
    elif isinstance(node, list):
        yield f"len({path})", len(node)
    elif node is not None:
        yield path, node


def _columns(rows: list[dict[str, Json]]) -> dict[str, Column]:
    """Return the columns with enough values, by name."""
    columns: dict[str, Column] = {}
    for number, row in enumerate(rows):
        for name, value in (row | _spans(row)).items():
            columns.setdefault(name, {})[number] = value
    return {name: columns[name] for name in sorted(columns) if len(columns[name]) >= ENOUGH}


def _spans(row: dict[str, Json]) -> dict[str, Json]:
    times = {name: time for name, value in row.items() if (time := parse_timestamp(value))}
    return {
        f"span({name})": milliseconds_between(times[start], time)
        for start in times
        if start.endswith("started_at")
        for name, time in times.items()
        if name != start and name.rpartition(".")[0] == start.rpartition(".")[0]
    }


def _is_known(name: str, known: Collection[str]) -> bool:
    return name.removeprefix("len(").removeprefix("span(").partition(".")[0] in known


def _without_equal(
    columns: dict[str, Column], known: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return the names without those equal to an earlier one, and these equalities."""
    distinct: list[str] = []
    found: list[str] = []
    for name, column in columns.items():
        like = next((one for one in distinct if _is_equal(columns[one], column)), None)
        if like is None or len(set(map(repr, column.values()))) == 1:
            distinct.append(name)
        elif not (_is_known(name, known) and _is_known(like, known)):
            found.append(f"{like} == {name}")
    return distinct, found


def _is_equal(one: Column, other: Column) -> bool:
    kinds = {isinstance(value, str) for value in (*one.values(), *other.values())}
    return len(kinds) == 1 and one == other


def _of_one(name: str, column: Column, total: int) -> Iterator[str]:
    """Presence, constants, few values, forms of text and bounds."""
    values = list(column.values())
    if name.startswith("span(") or isinstance(values[0], dict):
        values = []
    different = {repr(value) for value in values}
    if len(column) == total and not name.startswith("span("):
        yield f"{name} is always there"
    if len(different) == 1:
        yield f"{name} is always {different.pop()}"
    elif values and all(isinstance(value, str) for value in values):
        yield f"{name} is {_form_of(values)}"
    elif values and all(_is_number(value) for value in values):
        is_length = name.startswith("len(")
        if not is_length and all(isinstance(value, int) for value in values):
            yield f"{name} is an integer"
        if min(values) == 1 or (min(values) == 0 and not is_length):
            yield f"{name} >= {min(values)}"


def _form_of(values: list[str]) -> str:
    different = sorted({*values})
    if len(different) <= FEW:
        return f"one of {', '.join(different)}"
    fitting = (
        form
        for form, pattern in FORMS.items()
        if all(pattern.fullmatch(value) for value in different)
    )
    return next(fitting, "a text")


def _of_presence(one: str, other: str, columns: dict[str, Column], total: int) -> Iterator[str]:
    """Yield when the first member is there: together with the second, or with values of it."""
    there = columns[one].keys()
    if len(there) > total - ENOUGH or "span(" in one + other:
        return
    if one < other and there == columns[other].keys():
        yield f"{one} is there iff {other} is"
    values = columns[other]
    if len(values) < total or not all(isinstance(value, str) for value in values.values()):
        return
    present = {values[number] for number in there}
    absent = {value for number, value in values.items() if number not in there}
    if len(present | absent) > FEW or not present ^ absent:
        return
    if not present & absent:
        yield f"{one} is there iff {other} is {' or '.join(sorted(present))}"
        return
    for is_there, certain in (("is there", present - absent), ("is null", absent - present)):
        if certain:
            yield f"{one} {is_there} if {other} is {' or '.join(sorted(certain))}"


def _of_order(one: str, other: str, ordered: dict[str, Column]) -> Iterator[str]:
    """Yield that the first member is never above the second, or equal to it, where both are."""
    first, second = ordered[one], ordered[other]
    pairs = {(first[number], second[number]) for number in first.keys() & second.keys()}
    kinds = {type(value) for pair in pairs for value in pair}
    if len(pairs) < FEW or len(kinds) > 1:
        return
    if all(a == b for a, b in pairs):
        yield from [f"{one} == {other} where both are"] if one < other else []
    elif kinds <= {float, datetime} and all(a <= b for a, b in pairs):
        yield f"{one} <= {other}"


def _ordered(column: Column) -> Column:
    """Return a column with numbers as floats, parsed times, and what else can be compared."""
    return {number: _comparable(value) for number, value in column.items() if value != {}}


def _comparable(value: Any) -> Any:
    if _is_number(value):
        return float(value)
    return (isinstance(value, str) and parse_timestamp(value)) or value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
