"""Counts what the journal holds and says whether that is what was expected."""

import fnmatch
from typing import Any

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.journal import Passed

_BOUNDS = ("at_least", "at_most", "exactly")
_KNOWN = {*_BOUNDS, "method", "status", "operation", "path", "workflow_id", "run_id"}


def verify(entries: list[Passed], wanted: JsonObject) -> JsonObject:
    """Give how many entries match, if that is as wanted; without a bound one is enough.

    `path` may hold * and ?; `run_id` counts reads of its detail alone.

    Raises:
        ApiError: VALIDATION_ERROR for an unknown member or a bound that is no number,
            CONFLICT if the count is another.
    """
    problems = [f"{name}: is unknown" for name in wanted.keys() - _KNOWN]
    problems += [
        f"{name}: is not a whole number"
        for name in _BOUNDS
        if name in wanted and (isinstance(wanted[name], bool) or not isinstance(wanted[name], int))
    ]
    if problems:
        raise ApiError(
            "VALIDATION_ERROR",
            f"Request has {len(problems)} validation error(s)",
            f"Known: {', '.join(sorted(_KNOWN))}",
            details={"errors": problems},
        )
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


def _is_match(passed: Passed, wanted: JsonObject) -> bool:
    told = {
        "method": passed.method,
        "status": passed.status_code,
        "operation": passed.notes.get("operation"),
    }
    if any(name in wanted and told[name] != wanted[name] for name in told):
        return False
    path = str(wanted.get("path", "*"))
    if "workflow_id" in wanted or "run_id" in wanted:
        parts = [str(wanted.get(name, "*")) for name in ("workflow_id", "run_id")]
        path = f"/v1/workflows/{parts[0]}/executions/{parts[1]}"
        if "run_id" not in wanted:
            path = f"/v1/workflows/{parts[0]}*"
    return fnmatch.fnmatchcase(passed.path, path)
