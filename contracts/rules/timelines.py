"""Rules about all reads of one run in the course of a check: its rows in lists, and its detail."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import differences, elements, members, name_one_moment, number, shown, text
from .model import Context, Group, Mismatch, Scope, rule

ENDED = frozenset({"completed", "failed"})
_BOTH = "Execution Detail and List Workflow Executions, `status`"
_ROW_MEMBERS = frozenset(
    {"status", "started_at", "completed_at", "ended_at", "duration", "duration_ms", "error"}
)
_LIST, _DETAIL = "list", "detail"


def _sources(timeline: Json) -> set[str]:
    return {str(members(one).get("from")) for one in elements(timeline)}


def _has_both(timeline: Json, _context: Context) -> bool:
    return {_LIST, _DETAIL} <= _sources(timeline)


def _stale(timeline: Json, source: str, context: Context) -> Iterator[tuple[int, str, str, float]]:
    """Yield (index, status shown, final status known, seconds since) of reads of one source.

    Only reads that were sent long enough after the other source had shown a final status.
    """
    known: tuple[str, float] | None = None
    for index, one in enumerate(map(members, elements(timeline))):
        status, sent_s = text(one.get("status")), number(one.get("sent_s")) or 0.0
        if one.get("from") != source:
            if status in ENDED and known is None:
                known = status, number(one.get("received_s")) or 0.0
        elif known is not None and status is not None and status != known[0]:
            behind_s = sent_s - known[1]
            if behind_s >= context.settings.lag_s:
                yield index, status, known[0], behind_s


@rule(
    "DR146a",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.TIMELINE,
    source=_BOTH,
    when=_has_both,
    needs="a run in the list that can be read",
)
def detail_keeps_up_with_the_list(timeline: Json, context: Context) -> Iterator[Mismatch]:
    """A run that has ended in the list has ended in its detail, a moment later at the latest.

    A client that sees the end in the list opens the detail. A few seconds of delay are accepted.
    Example: `completed` in the list and `running` in the detail ten seconds later.
    """
    for index, status, known, behind_s in _stale(timeline, _DETAIL, context):
        yield Mismatch(
            pointer_to(index, "status"),
            f"{shown(known)}, as in the list {behind_s:.1f} s before",
            shown(status),
            "read the detail from the store the list is read from, and expire cached details",
        )
        return


@rule(
    "DR146b",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.TIMELINE,
    source=_BOTH,
    when=_has_both,
    needs="a run in the list that can be read",
)
def list_keeps_up_with_the_detail(timeline: Json, context: Context) -> Iterator[Mismatch]:
    """A run that has ended in its detail has ended in the list, a moment later at the latest.

    Lists that lag show finished runs as running for ever. A few seconds of delay are accepted.
    Example: `failed` in the detail and `running` in the list ten seconds later.
    """
    for index, status, known, behind_s in _stale(timeline, _LIST, context):
        yield Mismatch(
            pointer_to(index, "status"),
            f"{shown(known)}, as in the detail {behind_s:.1f} s before",
            shown(status),
            "update the row in the transaction that ends the run",
        )
        return


def _details(timeline: Json) -> list[tuple[int, str | None]]:
    """Return (index, status or None for a 404) of every read of the detail."""
    reads = enumerate(map(members, elements(timeline)))
    return [(index, text(one.get("status"))) for index, one in reads if one.get("from") == _DETAIL]


@rule(
    "DR147",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.TIMELINE,
    source="Execution Detail: the complete trace of one execution",
    when=lambda timeline, _context: len(_details(timeline)) > 1,
    needs="a run read twice",
)
def readable_runs_stay_readable(timeline: Json, _context: Context) -> Iterator[Mismatch]:
    """A run that could be read can be read again, also after it has ended.

    Reported after two reads in a row with 404. Example: the detail of a running run is deleted when
    the run ends.
    """
    was_read, gone = False, 0
    for index, status in _details(timeline):
        was_read, gone = was_read or status is not None, 0 if status is not None else gone + 1
        if was_read and gone == 2:
            fix = "keep the detail of a run for as long as it is listed"
            yield Mismatch(pointer_to(index), "the run, as before", "404 twice in a row", fix)
            return


def _is_one_run(earlier: Json, later: Json, _context: Context) -> bool:
    run_ids = {text(members(row).get("run_id")) for row in (earlier, later)}
    return len(run_ids) == 1 and None not in run_ids


@rule(
    "DR148",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.ROWS,
    source="List Workflow Executions, `status`, `started_at`",
    when=_is_one_run,
    needs="a run read twice in a list",
)
def rows_only_move_forward(
    earlier: JsonObject, later: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """The status of a run in the list only moves forward, and its start never changes.

    A run goes from running to completed or failed, once. Example: `completed`, and `running` when
    the list is read again.
    """
    before, now = text(earlier.get("status")), text(later.get("status"))
    if before in ENDED and now in ENDED | {"running"} and now != before:
        yield Mismatch(
            "/status",
            f"{shown(before)}, as in the read before",
            shown(now),
            "never write an older status over a newer one",
        )
    if name_one_moment(earlier.get("started_at"), later.get("started_at")) is False:
        yield Mismatch(
            "/started_at",
            f"{shown(earlier.get('started_at'))}, as in the read before",
            shown(later.get("started_at")),
            "store the start once and return the stored value",
        )


def _has_ended(earlier: Json, later: Json, context: Context) -> bool:
    return _is_one_run(earlier, later, context) and text(earlier.get("status")) in ENDED


@rule(
    "DR149",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.ROWS,
    source="List Workflow Executions, example rows: the end of a run is a fact",
    when=_has_ended,
    needs="a finished run read twice in a list",
)
def finished_rows_never_change(
    earlier: JsonObject, later: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """The row of a finished run never changes.

    Clients store finished runs and do not ask again. Numbers are compared as numbers, timestamps as
    moments. Status and start have a rule of their own. Example: a `duration` that grows.
    """
    for path, before, now in differences(earlier, later):
        if not path or path[0] not in _ROW_MEMBERS - {"status", "started_at"}:
            continue
        if name_one_moment(before, now) is True:
            continue
        yield Mismatch(
            pointer_to(*path),
            f"{shown(before)}, as in the read before",
            shown(now),
            "compute the row once, when the run ends",
        )


RULES = (
    detail_keeps_up_with_the_list,
    readable_runs_stay_readable,
    rows_only_move_forward,
    finished_rows_never_change,
    list_keeps_up_with_the_detail,
)
