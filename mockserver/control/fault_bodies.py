"""Reads a transport fault from a request: every member checked, unknown ones refused."""

import uuid
from typing import Any

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.transport_faults import KINDS, SCOPE

_SCHEDULE = {"share": (0, 1), "count": (1, 10**9), "every": (1, 10**6), "length": (1, 10**6)}


def read_fault(body: JsonObject) -> JsonObject:
    """Give the fault with an id of its own.

    Raises:
        ApiError: VALIDATION_ERROR with one line for each bad member.
    """
    kind = KINDS.get(str(body.get("kind")))
    if kind is None:
        raise _refusal([f"kind: is not one of {', '.join(KINDS)}"])
    known = {"kind", "seed", *SCOPE, *_SCHEDULE, *kind.parameters}
    problems = [
        f"{name}: is unknown; known: {', '.join(sorted(known))}" for name in body.keys() - known
    ]
    problems += [f"{name}: {why}" for name, value in body.items() if (why := _bad(name, value))]
    if problems:
        raise _refusal(problems)
    return {"id": f"fault_{uuid.uuid4().hex[:12]}", **body}


def _bad(name: str, value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in _SCHEDULE:
        low, high = _SCHEDULE[name]
        if not is_number or not low <= value <= high:
            return f"is not a number from {low} to {high}"
    elif name in SCOPE or name in {"kind", "content_type"}:
        return None if isinstance(value, str) and value.isprintable() else "is not a text"
    elif name == "status":
        return None if is_number and value in range(400, 600) else "is not from 400 to 599"
    elif name == "spread":
        return None if value in ("uniform", "log-normal") else "is not uniform or log-normal"
    elif name == "after":
        return None if is_number and 0 <= value <= 1 else "is not a share from 0 to 1"
    elif not is_number or not 0 <= value <= 3_600_000:
        return "is not a number from 0 to 3600000"
    return None


def _refusal(problems: list[str]) -> ApiError:
    return ApiError(
        "VALIDATION_ERROR",
        f"Request has {len(problems)} validation error(s)",
        "The kinds and their parameters are listed at GET /__mock/faults",
        details={"errors": problems},
    )
