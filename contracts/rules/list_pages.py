"""Rules about one page of a list of runs, and about all pages of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .catalogue import repeated, sent_whole
from .json_values import elements, members, shown
from .list_shapes import DURATION, END, Paging, array_of, paging_of, rows_of
from .model import Context, Group, Mismatch, Scope, rule

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100
_SOURCE = "List Workflow Executions"
_NEEDS = "a list of runs"


@dataclass(frozen=True, slots=True)
class _Requested:
    page: int
    size: int


def _requested(query: Json) -> _Requested | None:
    """Return page and page size as requested, or None if one is out of its documented range."""
    page, size = sent_whole(query, "page", 1), sent_whole(query, "page_size", DEFAULT_PAGE_SIZE)
    if page is None or size is None or page < 1 or not 1 <= size <= LARGEST_PAGE_SIZE:
        return None
    return _Requested(page, size)


def _has_rows(data: Json, _query: Json, _context: Context) -> bool:
    return array_of(data) is not None


def _can_be_counted(data: Json, query: Json, _context: Context) -> bool:
    return array_of(data) is not None and _requested(query) is not None


@rule(
    "DR116",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, `page` (default 1), `page_size` (1-100, default 20), `pagination`",
    when=_can_be_counted,
    needs=_NEEDS,
)
def page_arithmetic_holds(data: Json, query: Json, _context: Context) -> Iterator[Mismatch]:
    """Page, page size, total and the number of rows of a page are consistent.

    Clients page by these numbers: a wrong one loses runs or causes an endless loop. The page
    repeats the requested numbers, `total_pages` is the total divided by the page size, rounded up
    (0 or 1 for an empty list), only the last page may be short, and pages beyond it are empty.
    Example: total 142, page size 20, 7 pages.
    """
    requested = _requested(query)
    if requested is None:
        return
    paging = paging_of(data)
    yield from _echoes(paging, requested)
    yield from _counts(paging, requested)
    yield from _row_count(data, paging, requested)


def _echoes(paging: Paging, requested: _Requested) -> Iterator[Mismatch]:
    for reported, wanted, name in (
        (paging.page, requested.page, "page"),
        (paging.size, requested.size, "page_size"),
    ):
        if reported is not None and reported[1] != wanted:
            yield Mismatch(
                reported[0],
                f"{wanted}, as requested",
                str(reported[1]),
                f"read `{name}` from the query; the defaults are 1 and {DEFAULT_PAGE_SIZE}",
            )


def _counts(paging: Paging, requested: _Requested) -> Iterator[Mismatch]:
    if paging.total is None or paging.pages is None:
        return
    total, size = paging.total[1], paging.size[1] if paging.size else requested.size
    if total < 0 or size < 1:
        return
    wanted = -(-total // size)
    if paging.pages[1] != wanted and not (total == 0 and paging.pages[1] == 1):
        yield Mismatch(
            paging.pages[0],
            f"{wanted} (total {total} over page size {size}, rounded up)",
            str(paging.pages[1]),
            "divide the total by the page size and round up",
        )


def _row_count(data: Json, paging: Paging, requested: _Requested) -> Iterator[Mismatch]:
    name, rows = array_of(data) or ("", [])
    if len(rows) > requested.size:
        yield _rows(name, f"at most {requested.size} rows", rows)
        return
    if paging.total is None or paging.total[1] < 0:
        return
    total = paging.total[1]
    rest = max(0, total - (requested.page - 1) * requested.size)
    of_total = f"page {requested.page} of a total of {total}"
    if len(rows) != min(rest, requested.size):
        # A run that starts between counting and reading briefly changes the last page.
        passing = 0 < rest < requested.size and bool(rows)
        expected = f"{min(rest, requested.size)} rows on {of_total}"
        yield _rows(name, expected, rows, Severity.WARNING if passing else None)
    has_more = members(data).get("has_more")
    if isinstance(has_more, bool) and has_more != (requested.page * requested.size < total):
        yield Mismatch(
            "/has_more",
            f"{shown(not has_more)} on {of_total}",
            shown(has_more),
            "compare page times page size with the total",
        )


def _rows(name: str, expected: str, rows: list[Json], severity: Severity | None = None) -> Mismatch:
    fix = "skip (page - 1) * page_size rows, return page_size rows; count the total the same way"
    return Mismatch(pointer_to(name), expected, f"{len(rows)} rows", fix, severity)


@rule(
    "DR117",
    group=Group.LISTING,
    severity=Severity.WARNING,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, example; client code reads the other names",
    when=_has_rows,
    needs=_NEEDS,
)
def lists_speak_documented_names(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """A list of runs uses the documented names, such as `executions` and `completed_at`.

    Some client code reads `items`, `ended_at` and `duration_ms` instead, so both are accepted, but
    a client written from the documentation reads only the documented names.
    """
    array = array_of(data)
    if array is not None and array[0] != "executions":
        yield _other_name("/items", "executions", "items")
    if "pagination" not in data and "total" in data:
        yield _other_name("/total", "pagination.total_count", "total")
    for name, index, row in rows_of(data):
        for documented, recovered in (END, DURATION):
            if documented not in row and recovered in row:
                yield _other_name(pointer_to(name, index, recovered), documented, recovered)


def _other_name(pointer: str, documented: str, recovered: str) -> Mismatch:
    fix = f"send `{documented}`, beside `{recovered}` if clients read that"
    return Mismatch(pointer, f"`{documented}`", f"`{recovered}`", fix)


@rule(
    "DR118",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_PAGE,
    source=f"{_SOURCE}, `run_id`: unique execution identifier",
    when=_has_rows,
    needs=_NEEDS,
)
def run_ids_on_a_page_are_unique(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """No run occurs twice on one page.

    The run id is documented as unique; clients key rows by it. Example: a join that repeats a run
    for each of its steps.
    """
    name, rows = array_of(data) or ("", [])
    for index, run_id in repeated([members(row).get("run_id") for row in rows]):
        yield Mismatch(
            pointer_to(name, index, "run_id"),
            "a run id that no earlier row has",
            shown(run_id),
            "list each run once",
        )


def _was_walked(pages: Json, page_size: Json, _context: Context) -> bool:
    is_whole = bool(elements(pages)) and all(array_of(page) is not None for page in pages)
    return is_whole and isinstance(page_size, int) and page_size > 0


@rule(
    "DR119",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LIST_WALK,
    source=f"{_SOURCE}, `page`, `page_size`, `pagination`",
    when=_was_walked,
    needs="a list of two or more runs",
)
def walks_meet_every_run_once(
    pages: Json, page_size: Json, _context: Context
) -> Iterator[Mismatch]:
    """All pages together contain every run exactly once.

    All pages use one order, whichever it is; with an unstable order, clients see one run twice and
    miss another. If the total changes between pages, runs were added meanwhile, and mismatches are
    only warnings. Example: total 5, and 4 different runs on its pages.
    """
    totals = [paging_of(page).total for page in pages]
    counts = {total[1] for total in totals if total is not None}
    severity = None if len(counts) < 2 else Severity.WARNING
    if len(counts) > 1:
        yield from _moving_totals(totals)
    yield from _repeated_runs(pages, severity)
    rows = sum(len((array_of(page) or ("", []))[1]) for page in pages)
    total = counts.pop() if len(counts) == 1 else None
    if total is not None and len(pages) * page_size >= total and rows != total:
        yield Mismatch(
            "",
            f"{total} rows, as reported in the total",
            f"{rows} rows on {len(pages)} pages",
            "count the total with the same filter as the rows",
        )


def _moving_totals(totals: list[tuple[str, int] | None]) -> Iterator[Mismatch]:
    first = next(total[1] for total in totals if total is not None)
    for index, total in enumerate(totals):
        if total is not None and total[1] != first:
            yield Mismatch(
                pointer_to(index) + total[0],
                f"{first}, as on the previous page",
                str(total[1]),
                "none if runs have started meanwhile; otherwise count all runs of the workflow",
                Severity.WARNING,
            )
            return


def _repeated_runs(pages: list[Json], severity: Severity | None) -> Iterator[Mismatch]:
    places = [(at, *place) for at, page in enumerate(pages) for place in rows_of(page)]
    first_page: dict[str, int] = {}
    for at, name, index, row in places:
        run_id = row.get("run_id")
        # Rule DR118 reports a run that occurs twice on one page.
        if isinstance(run_id, str) and first_page.setdefault(run_id, at) != at:
            yield Mismatch(
                pointer_to(at, name, index, "run_id"),
                "a run that is on no earlier page",
                f"{shown(run_id)}, as on page {first_page[run_id] + 1}",
                "sort the runs by something unique before cutting pages",
                severity,
            )


RULES = (
    page_arithmetic_holds,
    lists_speak_documented_names,
    run_ids_on_a_page_are_unique,
    walks_meet_every_run_once,
)
