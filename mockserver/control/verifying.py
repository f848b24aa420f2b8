"""Counts what the journal holds and says whether that is what was expected."""

import fnmatch
from typing import Any

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.journal import Passed


def verify(entries: list[Passed], wanted: JsonObject) -> JsonObject:
    """Give how many entries match, if that is as wanted; without a bound one is enough.

    `path` may hold * and ?; `run_id` counts reads of its detail alone.

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
