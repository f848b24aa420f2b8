"""What a request prefers: the `Prefer` header (RFC 7240), so far `code=NNN`."""

import re
from collections.abc import Sequence

from .errors import ApiError, kind_of_status

_PREFERENCE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~\w-]+)           # name
        \s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?  # value, a token or a quoted text
        [^,]*(?:,|$)                        # parameters of the preference mean nothing here
    """,
    re.VERBOSE | re.ASCII,
)


def parse_preferences(header: str) -> dict[str, str]:
    """Give name and value of each preference; of a repeated one the first counts.

    Preferences we do not know are kept: who asks decides, and the RFC wants them ignored.
    """
    preferences: dict[str, str] = {}
    for written in _PREFERENCE.finditer(header):
        value = written[2] or ""
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        preferences.setdefault(written[1].lower(), value)
    return preferences


def preferred_error(header: str, documented: Sequence[int]) -> ApiError | None:
    """Give the error the header asks for, None if it asks for none.

    `documented` are the statuses of the operation. A good status is the ordinary answer's task.

    Raises:
        ApiError: VALIDATION_ERROR if `code` is not a documented status; it lists them.
    """
    code = parse_preferences(header).get("code")
    if code is None:
        return None
    allowed = {str(status): kind_of_status(status) for status in documented}
    if code not in allowed:
        raise _impossible(f"code={code[:40]} is not a documented status", sorted(allowed))
    kind = allowed[code]
    if kind is None:
        return None
    return ApiError(kind.code, headers={"Preference-Applied": f"code={code}"})


def _impossible(problem: str, allowed: Sequence[str]) -> ApiError:
    return ApiError(
        "VALIDATION_ERROR",
        "Request has 1 validation error(s)",
        details={"errors": [f"Prefer: {problem}"]},
        suggestion=f"Use one of the documented statuses: {', '.join(allowed)}",
    )
