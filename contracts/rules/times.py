"""Rules about the timestamps and durations of a run and its steps."""

import re
from collections.abc import Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import milliseconds_between
from deadringer.contracts.violations import Severity

from .json_values import coarseness_ms, moment, number, shown
from .model import Context, Group, Mismatch, Scope, rule
from .steps import STARTED, Part, derived, parts_of, step_statuses, steps_of

FIELDS = "Documentation of Execution Detail, table of fields: ISO 8601"
EXAMPLES = "Every example of the documentation"
_EXACT_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_TIMED = ("started_at", "ended_at")
_TIMED_OF_A_RUN = (*_TIMED, "created")


@derived
def _timestamps(execution: Json) -> tuple[tuple[Part, str, str], ...]:
    """Return (part, member, text) of every timestamp that is a text."""
    return tuple(
        (part, name, value)
        for part in parts_of(execution)
        for name in (_TIMED if part.pointer else _TIMED_OF_A_RUN)
        if isinstance(value := part.get(name), str)
    )


def _has_timestamps(execution: JsonObject, _context: Context) -> bool:
    return bool(_timestamps(execution))


@derived
def _other_timestamps(execution: Json) -> tuple[tuple[str, str, bool], ...]:
    """Return (pointer, text, whether it is valid) of every timestamp not in the documented form."""
    return tuple(
        (part.at(name), value, is_valid)
        for part, name, value in _timestamps(execution)
        if not (is_valid := moment(value) is not None) or not _EXACT_FORM.fullmatch(value)
    )


@derived
def _ended_parts(execution: Json) -> tuple[tuple[Part, float], ...]:
    """Return the parts with a start and an end, and the milliseconds between the two."""
    return tuple(
        (part, milliseconds_between(part.started, part.ended))
        for part in parts_of(execution)
        if part.started is not None and part.ended is not None
    )


def _has_ended_parts(execution: JsonObject, _context: Context) -> bool:
    return bool(_ended_parts(execution))


@derived
def _durations(execution: Json) -> tuple[tuple[Part, float], ...]:
    """Return the parts with a duration, and the duration in milliseconds."""
    durations = ((part, number(part.get("duration_ms"))) for part in parts_of(execution))
    return tuple((part, duration) for part, duration in durations if duration is not None)


@rule(
    "DR016",
    group=Group.TIME,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_has_timestamps,
    needs="an execution",
)
def timestamps_are_iso_8601_with_a_zone(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """Every timestamp is ISO 8601 with a time zone.

    A time without a zone means a different moment on each machine that reads it. Examples:
    `2026-03-27T10:15:00.000Z`, `2026-03-27T12:15:00+02:00`.
    """
    for pointer, value, is_valid in _other_timestamps(execution):
        if not is_valid:
            yield Mismatch(
                pointer,
                "an ISO 8601 timestamp with a zone",
                shown(value),
                "write it as 2026-03-27T10:15:00.000Z",
            )


@rule(
    "DR017",
    group=Group.TIME,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source=EXAMPLES,
    when=_has_timestamps,
    needs="an execution",
)
def timestamps_have_the_documented_form(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """Every timestamp is written as in the examples: UTC, milliseconds, `Z`.

    Careless clients split timestamps at fixed positions. The documentation does not exclude other
    forms of ISO 8601, so this is a warning. Example: `2026-03-27T10:15:00.000Z`.
    """
    for pointer, value, is_valid in _other_timestamps(execution):
        if is_valid:
            yield Mismatch(
                pointer,
                "the form YYYY-MM-DDTHH:MM:SS.mmmZ",
                shown(value),
                "write timestamps in UTC with three decimals",
            )


@rule(
    "DR018a",
    group=Group.TIME,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_has_ended_parts,
    needs="a finished run or step",
)
def end_is_not_before_start(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """Neither the run nor a step ends before it starts.

    A bar of negative length cannot be drawn. Example: start `10:15:00.000`, end `10:15:04.320`.
    """
    for part, elapsed_ms in _ended_parts(execution):
        if elapsed_ms >= 0:
            continue
        start, end = part.get("started_at"), part.get("ended_at")
        if elapsed_ms < -coarseness_ms(start, end):
            yield Mismatch(
                part.at("ended_at"),
                f"a moment not before started_at, {shown(start)}",
                shown(end),
                "check which clock writes which of the two",
            )


@rule(
    "DR018b",
    group=Group.TIME,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=lambda execution, _context: bool(_durations(execution)),
    needs="a duration",
)
def duration_is_not_negative(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """No duration is negative.

    Negative values silently corrupt sums and averages. Example: `"duration_ms": 0` is the minimum.
    """
    for part, duration_ms in _durations(execution):
        if duration_ms < 0:
            yield Mismatch(
                part.at("duration_ms"),
                "a number not below 0",
                shown(duration_ms),
                "subtract the start from the end, not the other way round",
            )


@rule(
    "DR019",
    group=Group.TIME,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Exact in every documented example",
    when=lambda execution, _context: any(
        number(part.get("duration_ms")) is not None for part, _ in _ended_parts(execution)
    ),
    needs="a finished run or step with a duration",
)
def duration_is_end_minus_start(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """A duration is the end minus the start, in milliseconds.

    Seconds instead of milliseconds, or added time in a queue, make every chart wrong. Example: from
    `10:15:00.000` to `10:15:04.320` is 4320.
    """
    tolerance_ms = context.settings.duration_tolerance_ms
    for part, elapsed_ms in _ended_parts(execution):
        duration_ms = number(part.get("duration_ms"))
        # Other rules report a wrong order or a negative duration.
        if duration_ms is None or duration_ms < 0 or elapsed_ms < 0:
            continue
        apart_ms = abs(duration_ms - elapsed_ms)
        if apart_ms <= tolerance_ms:
            continue
        allowed_ms = tolerance_ms + coarseness_ms(part.get("started_at"), part.get("ended_at"))
        if apart_ms > allowed_ms:
            yield Mismatch(
                part.at("duration_ms"),
                f"{elapsed_ms:g}, ended_at minus started_at, within {allowed_ms:g} ms",
                shown(part.get("duration_ms")),
                "send milliseconds between the two timestamps of the same object",
            )


@rule(
    "DR020",
    group=Group.TIME,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=EXAMPLES,
    when=lambda execution, _context: not step_statuses(execution).isdisjoint(STARTED),
    needs="a run with a step that has started",
)
def steps_lie_within_the_run(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Each step starts and ends between the start and the end of the run.

    A step outside that time cannot have been part of the run. Pending and skipped steps are left
    out:
    their `started_at` is when they were queued. Example: run 10:15:00 to 10:15:04, step 10:15:01 to
    10:15:02.
    """
    run_start, run_end = execution.get("started_at"), execution.get("ended_at")
    run = parts_of(execution)[0]
    for step in steps_of(execution):
        if not step.has_started or _lies_exactly_within(step, run):
            continue
        for name in _TIMED:
            value = step.get(name)
            if _is_before(value, run_start, context):
                yield _outside(step.at(name), "not before the run's start", run_start, value)
            elif _is_before(run_end, value, context):
                yield _outside(step.at(name), "not after the run's end", run_end, value)


@rule(
    "DR022",
    group=Group.TIME,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Inferred from the published example, where both are equal",
    when=lambda execution, _context: (
        moment(execution.get("created")) is not None
        and moment(execution.get("started_at")) is not None
    ),
    needs="an execution",
)
def created_is_near_the_start(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """The log row is created within seconds of the run's start, before or after.

    If they are far apart, one was written by another event or in another zone. Example: both
    `2026-03-27T10:15:00.000Z`.
    """
    created, start = execution["created"], execution["started_at"]
    apart_ms = abs(_elapsed_ms(start, created))
    tolerance_ms = context.settings.created_tolerance_s * 1000
    if apart_ms <= tolerance_ms:
        return
    allowed_ms = tolerance_ms + coarseness_ms(created, start)
    if apart_ms > allowed_ms:
        yield Mismatch(
            "/created",
            f"a moment within {allowed_ms / 1000:g} s of started_at, {shown(start)}",
            shown(created),
            "write the row when the run starts",
        )


def _elapsed_ms(start: Json, end: Json) -> float:
    first, last = moment(start), moment(end)
    if first is None or last is None:
        return 0.0
    return milliseconds_between(first, last)


def _lies_exactly_within(step: Part, run: Part) -> bool:
    """Return whether no known time of a step is outside the run, not even within the tolerance."""
    for one in (step.started, step.ended):
        if one is None:
            continue
        if run.started is not None and one < run.started:
            return False
        if run.ended is not None and one > run.ended:
            return False
    return True


def _is_before(first: Json, second: Json, context: Context) -> bool:
    allowed_ms = context.settings.containment_tolerance_ms + coarseness_ms(first, second)
    return _elapsed_ms(second, first) < -allowed_ms


def _outside(pointer: str, relation: str, border: Json, value: Json) -> Mismatch:
    return Mismatch(
        pointer,
        f"a moment {relation}, {shown(border)}",
        shown(value),
        "take the run's times from its first and last step, using one clock",
    )


RULES = (
    timestamps_are_iso_8601_with_a_zone,
    timestamps_have_the_documented_form,
    end_is_not_before_start,
    duration_is_not_negative,
    duration_is_end_minus_start,
    steps_lie_within_the_run,
    created_is_near_the_start,
)
