"""Validate the preferences of a request: the `Prefer` header (RFC 7240) and its query forms.

`deadringer.mockserver.context` parses the header.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus

from flask import request

from deadringer.fixtures import load_recordings
from deadringer.mockserver.context import Preferences, RequestContext
from deadringer.mockserver.errors import KINDS_BY_CODE, ApiError, kind_of_status
from deadringer.mockserver.faults.transport import RETRY_AFTER_S
from deadringer.mockserver.world.reserved_ids import preferred_over

MOST_DELAY_MS = 600_000
MOST_STEPS = 5_000
RUN_STATUSES = ("completed", "failed", "running")
QUERY_FORMS = ("code", "example", "dynamic", "seed")
"""Preferences that may be sent as the query parameter `__name` if there is no header."""


def delay_ms(preferences: Preferences) -> int:
    """Return the preferred delay in ms; in a range, a random value that depends on the seed."""
    written = preferences.apply("delay")
    if written is None:
        return 0
    low, _, high = str(written).partition("..")
    seed = preferences.wanted.get("seed")
    chance = random.Random(seed) if seed else random  # noqa: S311 - no secret depends on it
    return chance.randint(int(low), int(high or low))


def read_preferences(
    context: RequestContext,
    documented: Sequence[int],
    names: Mapping[str, Callable[[], Sequence[str]]],
    reserved: Mapping[str, str],
) -> Preferences:
    """Return the preferences of the current request, from header or query, and reserved ids.

    `documented` are the statuses of the operation. `names` holds functions that return its error
    codes, and the names of faults and of further examples. `reserved` holds the preferences of
    reserved ids.

    Raises:
        ApiError: VALIDATION_ERROR with one line per invalid value, with the allowed values.
    """
    wanted: Mapping[str, str] = context.prefer
    if not request.headers.get("Prefer"):
        args = request.args
        wanted = {name: args[f"__{name}"] for name in QUERY_FORMS if f"__{name}" in args}
    if not wanted and not reserved and not any(name.startswith("__") for name in request.args):
        return Preferences()
    wanted = preferred_over(context.operation, reserved, wanted)
    problems = [
        f"Prefer: {problem}"
        for problem in _problems(wanted, [str(status) for status in documented], names)
    ]
    problems += _unknown_forms(request.args)
    if problems:
        raise ApiError(
            "VALIDATION_ERROR",
            f"Request has {len(problems)} validation error(s)",
            "Use one of the values that are named, or leave the preference out",
            details={"errors": problems},
        )
    return Preferences(wanted)


def preferred_error(preferences: Preferences) -> ApiError | None:
    """Return the preferred `error`, or that of the preferred status `code`; None for no error."""
    code, error = preferences.apply("code"), preferences.apply("error")
    kind = kind_of_status(code) if isinstance(code, int) else None
    kind = KINDS_BY_CODE[str(error)] if error is not None else kind
    if kind is None:
        return None
    is_off = kind.status == HTTPStatus.SERVICE_UNAVAILABLE
    return ApiError(kind.code, headers={"Retry-After": str(RETRY_AFTER_S)} if is_off else None)


def _problems(
    wanted: Mapping[str, str],
    statuses: Sequence[str],
    names: Mapping[str, Callable[[], Sequence[str]]],
) -> list[str]:
    examples = sorted(recording.name for recording in load_recordings())
    if wanted.get("example", examples[0]) not in examples:
        examples = [*examples, *names["example"]()]
    faults = names["fault"]() if "fault" in wanted else []
    codes = names["error"]() if "error" in wanted else []
    problems = []
    for name, allowed in (
        ("code", sorted(statuses)),
        ("error", codes),
        ("example", examples),
        ("status", RUN_STATUSES),
        ("fault", faults),
        ("dynamic", ("true", "false")),
    ):
        if name in wanted and wanted[name] not in allowed:
            what = "a documented status" if name == "code" else "possible"
            shown = wanted[name][:40]
            problems.append(f"{name}={shown} is not {what}; use one of: {', '.join(allowed)}")
    for name, most in (("seed", 10**15), ("steps", MOST_STEPS)):
        if name in wanted and not _is_whole(wanted[name], most):
            problems.append(f"{name}={wanted[name][:40]} is not a whole number from 0 to {most}")
    if "delay" in wanted and not _is_delay(wanted["delay"]):
        problems.append(
            f"delay={wanted['delay'][:40]} is not milliseconds such as 800 or 200..900, "
            f"at most {MOST_DELAY_MS}"
        )
    return problems


def _unknown_forms(names: Iterable[str]) -> Iterator[str]:
    known = [f"__{name}" for name in QUERY_FORMS]
    for name in names:
        if name.startswith("__") and name not in known:
            fix = f"use one of: {', '.join(known)}, or the header Prefer"
            yield f"query/{name[:40]}: is no query form of a preference; {fix}"


def _is_whole(text: str, most: int) -> bool:
    return re.fullmatch(r"[0-9]{1,15}", text) is not None and int(text) <= most


def _is_delay(text: str) -> bool:
    written = re.fullmatch(r"([0-9]{1,6})(?:\.\.([0-9]{1,6}))?", text)
    if written is None:
        return False
    low, high = int(written[1]), int(written[2] or written[1])
    return low <= high <= MOST_DELAY_MS
