"""Rules about each row in a list of runs."""

from collections.abc import Callable, Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import milliseconds_between
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import coarseness_ms, moment, number, shown, text
from .list_shapes import DURATION, END, named_value, rows_of
from .model import Context, Group, Mismatch, Scope, When, rule

FINISHED = ("completed", "failed")
_SOURCE = "List Workflow Executions"


def _rows(data: Json, *statuses: str) -> Iterator[tuple[str, int, JsonObject]]:
    return ((name, index, row) for name, index, row in rows_of(data) if _is(row, statuses))


def _is(row: JsonObject, statuses: tuple[str, ...]) -> bool:
    return not statuses or text(row.get("status")) in statuses


def _has_row(*statuses: str, wanted: Callable[[JsonObject], bool] = bool) -> When:
    def when(data: Json, _query: Json, _context: Context) -> bool:
        return any(wanted(row) for _, _, row in _rows(data, *statuses))

    return when


def _span_ms(row: JsonObject) -> float | None:
    """Return end - start in milliseconds, or None if either is missing."""
    start, end = moment(row.get("started_at")), moment((named_value(row, END) or ("", None))[1])
    return None if start is None or end is None else milliseconds_between(start, end)


def _slack_ms(row: JsonObject) -> float:
    return coarseness_ms(row.get("started_at"), (named_value(row, END) or ("", None))[1])


def _has_span(row: JsonObject) -> bool:
    return _span_ms(row) is not None


def _has_measured_span(row: JsonObject) -> bool:
    return _has_span(row) and number((named_value(row, DURATION) or ("", None))[1]) is not None


@rule(
    "DR101a",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}: `completed_at` and `duration` are null while running",
    when=_has_row("running"),
    needs="a running run in a list",
)
def running_rows_have_no_end(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """A row of a running run has neither an end nor a duration.

    Clients use the end to decide whether a run is over. Example: `running` with `duration` 0.
    """
    for array, index, row in _rows(data, "running"):
        for names in (END, DURATION):
            reported = named_value(row, names)
            if reported is not None and reported[1] is not None:
                yield Mismatch(
                    pointer_to(array, index, reported[0]),
                    "null while the run is running",
                    shown(reported[1]),
                    f"leave `{reported[0]}` null until the run has ended",
                )


@rule(
    "DR101b",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, example rows",
    when=_has_row(*FINISHED),
    needs="a finished run in a list",
)
def finished_rows_have_an_end(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """A row of a completed or failed run has an end and a duration.

    They are null while running, and only then. Example: `completed` with `completed_at` null.
    """
    for array, index, row in _rows(data, *FINISHED):
        for names in (END, DURATION):
            reported = named_value(row, names)
            if reported is not None and reported[1] is None:
                yield Mismatch(
                    pointer_to(array, index, reported[0]),
                    f"a value, as the run is {row['status']}",
                    "null",
                    f"fill `{reported[0]}` in the step that writes the final status",
                )


@rule(
    "DR101c",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}: `error` is filled when failed",
    when=_has_row("failed"),
    needs="a failed run in a list",
)
def failed_rows_say_why(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """A row of a failed run has a non-empty error.

    Users read it first. Example: `failed` with `error` null, or an empty text.
    """
    for array, index, row in _rows(data, "failed"):
        if "error" in row and (row["error"] is None or row["error"] == ""):
            yield Mismatch(
                pointer_to(array, index, "error"),
                "a text that describes why the run failed",
                shown(row["error"]),
                "copy the run's `error` into its row",
            )


@rule(
    "DR101d",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, example rows",
    when=_has_row("completed", "running"),
    needs="a running or completed run in a list",
)
def unfailed_rows_have_no_error(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """A row of a completed or running run has a null error.

    Clients mark a row by its error. Example: `completed` with an `error`, or with an empty text.
    """
    for array, index, row in _rows(data, "completed", "running"):
        error = text(row.get("error"))
        if error is not None:
            yield Mismatch(
                pointer_to(array, index, "error"),
                f"null, as the run is {row['status']}",
                shown(error),
                "fill `error` of failed runs only",
            )


@rule(
    "DR101e",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, `started_at`, `completed_at`",
    when=_has_row(wanted=_has_span),
    needs="a run with start and end in a list",
)
def rows_end_after_they_start(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """The end in a row is not before the start.

    Timestamps in whole seconds are compared with a precision of one second. Example: start
    10:15:00, end 10:14:59.
    """
    for array, index, row in _rows(data):
        span_ms, reported = _span_ms(row), named_value(row, END)
        if span_ms is not None and reported is not None and span_ms < -_slack_ms(row):
            yield Mismatch(
                pointer_to(array, index, reported[0]),
                f"not before the start, {shown(row['started_at'])}",
                shown(reported[1]),
                "take both from one clock, and compare them as moments",
            )


@rule(
    "DR101f",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, example rows: exact in all of them",
    when=_has_row(wanted=_has_measured_span),
    needs="a run with start, end and duration in a list",
)
def row_durations_fit(data: Json, _query: Json, context: Context) -> Iterator[Mismatch]:
    """The duration in a row is its end minus its start, in milliseconds.

    Compared within a small tolerance, at the precision of the timestamps. Example: 4 for a run of
    4320 ms, which is seconds.
    """
    for array, index, row in _rows(data):
        span_ms, reported = _span_ms(row), named_value(row, DURATION)
        duration_ms = number(reported[1]) if reported else None
        if span_ms is None or reported is None or duration_ms is None:
            continue
        tolerance_ms = context.settings.duration_tolerance_ms + _slack_ms(row)
        if abs(duration_ms - span_ms) > tolerance_ms:
            yield Mismatch(
                pointer_to(array, index, reported[0]),
                f"{span_ms:g} (end - start), plus or minus {tolerance_ms:g}",
                shown(reported[1]),
                "compute the duration from the two timestamps, in milliseconds",
            )


@rule(
    "DR158",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, `run_id`: unique execution identifier",
    when=_has_row(),
    needs="a run in a list",
)
def rows_have_a_run_id(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """The run id of a row is not empty.

    It is the only way from the list to the detail. Example: `run_x7k9m2`.
    """
    for array, index, row in _rows(data):
        run_id = text(row.get("run_id"))
        if run_id is not None and not run_id.strip():
            place = pointer_to(array, index, "run_id")
            yield Mismatch(place, "a text", shown(run_id), "send the run id of the detail")


RULES = (
    running_rows_have_no_end,
    finished_rows_have_an_end,
    failed_rows_say_why,
    unfailed_rows_have_no_error,
    rows_end_after_they_start,
    row_durations_fit,
    rows_have_a_run_id,
)
