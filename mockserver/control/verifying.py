"""Counts what the journal holds and says whether that is what was expected."""

import fnmatch
from collections.abc import Iterator
from typing import Any

from contracts import Json, JsonObject
from mockserver.errors import ApiError
from mockserver.fault_judging import problems_of_method, problems_of_operation
from mockserver.journal import Passed
from mockserver.schema_problems import Problem, good_members

from .steering import Steering

_BOUNDS = ("exactly", "at_least", "at_most")
_DETAIL = "getExecution"
_IDS = {"workflow_id": "id", "run_id": "runId"}
"""Members of an expectation and the path parameters they are compared with."""


def verify(entries: list[Passed], wanted: JsonObject) -> JsonObject:
    """Give how many entries match, if that is as wanted; without a bound one is enough.

    `path` may hold * and ?, ids are taken as they are; `run_id` counts reads of its detail alone.
    All that is given must fit. A browser's OPTIONS counts only where that method is named.

    Raises:
        ApiError: CONFLICT if the count is another.
    """
    matched = sum(_is_match(entry, wanted) for entry in entries)
    low: Any = wanted.get("exactly", wanted.get("at_least", 0 if "at_most" in wanted else 1))
    high: Any = wanted.get("exactly", wanted.get("at_most", matched))
    if not low <= matched <= high:
        bound = f"{low} or more" if matched < low else f"{high} or fewer"
        raise ApiError(
            "CONFLICT",
            f"{matched} requests match, expected {bound}",
            "GET /__mock/journal shows the requests",
            details={"matched": matched},
        )
    return {"matched": matched, "verified": True}


def problems_of_wanted(
    _steering: Steering, body: Json, problems: list[Problem]
) -> Iterator[Problem]:
    """Yield every reason why no count could be as wanted, beside the problems of its schema."""
    wanted = good_members(body, problems)
    yield from problems_of_operation(wanted)
    yield from problems_of_method(wanted)
    if "run_id" in wanted and wanted.get("operation", _DETAIL) != _DETAIL:
        shown = f"counts reads of the detail, and {wanted['operation']} is none"
        yield Problem(("run_id",), shown, f"leave one of the two out, or name {_DETAIL}")
    yield from _of_bounds(wanted)


def _of_bounds(wanted: JsonObject) -> Iterator[Problem]:
    given = [name for name in _BOUNDS if name in wanted]
    if "exactly" in wanted and len(given) > 1:
        yield Problem(("exactly",), f"stands beside {given[1]}", "leave one of them out")
    elif given == ["at_least", "at_most"] and wanted["at_least"] > wanted["at_most"]:
        shown = f"{wanted['at_most']} is below at_least, {wanted['at_least']}"
        yield Problem(("at_most",), shown, "let it be the larger of the two")


def _is_match(passed: Passed, wanted: JsonObject) -> bool:
    told = {
        "method": passed.method,
        "status": passed.status_code,
        "operation": passed.notes.get("operation"),
    }
    if any(name in wanted and told[name] != wanted[name] for name in told):
        return False
    if passed.method == "OPTIONS" and wanted.get("method") != "OPTIONS":
        return False
    is_read = told["operation"] == _DETAIL and passed.method in {"GET", "HEAD"}
    if "run_id" in wanted and not is_read:
        return False
    ids = passed.notes.get("path_parameters", {})
    if any(name in wanted and ids.get(_IDS[name]) != wanted[name] for name in _IDS):
        return False
    return fnmatch.fnmatchcase(passed.path, str(wanted.get("path", "*")))
