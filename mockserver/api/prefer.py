"""What a request prefers: the `Prefer` header (RFC 7240), and its query forms."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flask import g, request

from deadringer.fixtures import load_recordings
from deadringer.mockserver.errors import ApiError, kind_of_status
from deadringer.mockserver.world.reserved_ids import CONTENT, preferred_over

MOST_DELAY_MS = 600_000
MOST_STEPS = 5_000
RUN_STATUSES = ("completed", "failed", "running")
QUERY_FORMS = ("code", "example", "dynamic", "seed")
"""Preferences that may be written as `__name=value` where there is no header."""

_PREFERENCE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~\w-]+)           # name
        \s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?  # value, a token or a quoted text
        [^,]*(?:,|$)                        # parameters of the preference mean nothing here
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(slots=True)
class Preferences:
    """What is preferred, checked; `applied` is what the answer really honours."""

    wanted: Mapping[str, str] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)

    def apply(self, name: str) -> object:
        """Give a preference's value and note that it is honoured; None if there is none."""
        written = self.wanted.get(name)
        if written is None:
            return None
        self.applied[name] = written
        if name == "dynamic":
            return True if written != "false" else None
        return int(written) if name in {"seed", "steps", "code"} else written

    @property
    def delay_ms(self) -> int:
        """How long to wait; of a range some value in it, the same one for the same seed."""
        written = self.wanted.get("delay")
        if written is None:
            return 0
        self.applied["delay"] = written
        low, _, high = written.partition("..")
        seed = self.wanted.get("seed")
        chance = random.Random(seed) if seed else random  # noqa: S311 - no secret depends on it
        return chance.randint(int(low), int(high or low))

    def applied_to(self, status: int) -> str:
        """Give the value of `Preference-Applied` for an answer of a status, "" for no header."""
        honoured = [
            f"{name}={value}"
            for name, value in self.applied.items()
            if (value == str(status) if name == "code" else status < 400 or name not in CONTENT)
        ]
        return ", ".join(honoured)


def preferences_of_request() -> Preferences:
    """Give the preferences of the request at hand."""
    found: Preferences = g.preferences
    return found


def read_preferences(
    operation_id: str,
    documented: Sequence[int],
    names: Mapping[str, Callable[[], Sequence[str]]],
    reserved: Mapping[str, str],
) -> Preferences:
    """Give the preferences of the request at hand, from header or query, else as `reserved` says.

    `documented` are the statuses of the operation; `names` gives those of faults, and of examples
    that are no recordings, if they are needed; `reserved` is what the ids of the request stand for.

    Raises:
        ApiError: VALIDATION_ERROR with one line for each impossible value, naming possible ones.
    """
    header = ", ".join(request.headers.getlist("Prefer"))
    wanted = parse_preferences(header)
    if not header:
        args = request.args
        wanted = {name: args[f"__{name}"] for name in QUERY_FORMS if f"__{name}" in args}
    wanted = preferred_over(operation_id, reserved, wanted)
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


def preferred_error(preferences: Preferences) -> ApiError | None:
    """Give the error `code` asks for, None if it asks for none or for a good status."""
    code = preferences.apply("code")
    kind = kind_of_status(code) if isinstance(code, int) else None
    return ApiError(kind.code) if kind else None


def _problems(
    wanted: Mapping[str, str],
    statuses: Sequence[str],
    names: Mapping[str, Callable[[], Sequence[str]]],
) -> list[str]:
    examples = sorted(recording.name for recording in load_recordings())
    if wanted.get("example", examples[0]) not in examples:
        examples = [*examples, *names["example"]()]
    faults = names["fault"]() if "fault" in wanted else []
    problems = []
    for name, allowed in (
        ("code", sorted(statuses)),
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
