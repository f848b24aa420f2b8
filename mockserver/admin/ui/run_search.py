"""Find runs for the page that lists them, within a limited window."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .api_view import ApiLists, Row

PAGE = 25
WINDOW = 2000
"""How many runs of one workflow a filter reads at once."""
WIDE_WINDOW = 10_000
"""How many runs it reads with `wide`, which takes a second or two."""
NEWEST = 100
"""How many runs of each workflow the list of all workflows contains."""
_CHUNK = 100
"""The largest page of the API, in rows."""


@dataclass(frozen=True, slots=True)
class Search:
    """The parameters of a search; "" matches everything.

    `begin` is the place in the list to start from. With `before`, the search goes from there to
    newer runs instead.
    """

    workflow_id: str = ""
    status: str = ""
    text: str = ""
    begin: int = 0
    before: int = 0
    window: int = WINDOW

    @property
    def is_filter(self) -> bool:
        """Whether some runs are excluded."""
        return bool(self.status or self.text)

    def wants(self, row: Row) -> bool:
        """Return whether a row matches."""
        if self.status and row.run.get("status") != self.status:
            return False
        if not self.text:
            return True
        message = f"{row.run_id} {row.workflow_id} {row.run.get('error') or ''}"
        return self.text.casefold() in message.casefold()


class Page(NamedTuple):
    """Some rows: those that match among the places from `begin` to before `end`, of `total`."""

    rows: list[Row]
    total: int
    begin: int
    end: int

    @property
    def following(self) -> int | None:
        """The place where older runs continue, if there are any."""
        return self.end if self.end < self.total else None

    @property
    def is_full(self) -> bool:
        """Whether the page has all its rows, rather than the window ended."""
        return len(self.rows) == PAGE


def find_runs(lists: ApiLists, search: Search) -> Page:
    """Return a page of the matching runs, newest first."""
    if search.before:
        return _before(lists, search)
    if not search.workflow_id:
        return _of_all_workflows(lists, search)
    total = lists.total(search.workflow_id)
    search = replace(search, begin=min(search.begin, total))
    end = min(search.begin + (search.window if search.is_filter else PAGE), total)
    rows: list[Row] = []
    for place, row in _walk(lists, search, end):
        if search.wants(row):
            rows.append(row)
        if len(rows) == PAGE:
            end = place + 1
            break
    return Page(rows, total, search.begin, end)


def _before(lists: ApiLists, search: Search) -> Page:
    """Return the page that ends before a place; at the newest run, the first page."""
    if not search.is_filter or not search.workflow_id:
        return find_runs(lists, replace(search, begin=max(0, search.before - PAGE), before=0))
    total = lists.total(search.workflow_id)
    end = min(search.before, total)
    begin = place = max(0, end - search.window)
    rows: list[Row] = []
    for at, row in _walk_back(lists, search, begin, end):
        if search.wants(row):
            if len(rows) == PAGE:
                break
            rows.append(row)
        place = at
    else:
        place = begin
    if place == 0 and len(rows) < PAGE:
        return find_runs(lists, replace(search, begin=0, before=0))
    return Page(rows[::-1], total, place, end)


def _walk(lists: ApiLists, search: Search, end: int) -> Iterator[tuple[int, Row]]:
    """Yield the rows from `search.begin` on, each with its place."""
    is_one_page = end - search.begin <= PAGE and search.begin % PAGE == 0
    size = PAGE if is_one_page else _CHUNK
    for begin in range(search.begin - search.begin % size, end, size):
        for place, row in enumerate(lists.page(search.workflow_id, begin, size), begin):
            if search.begin <= place < end:
                yield place, row


def _walk_back(lists: ApiLists, search: Search, begin: int, end: int) -> Iterator[tuple[int, Row]]:
    """Yield the rows between two places, the last one first."""
    first = begin - begin % _CHUNK
    for chunk in reversed(range(first, end, _CHUNK)):
        page = list(enumerate(lists.page(search.workflow_id, chunk, _CHUNK), chunk))
        for place, row in reversed(page):
            if begin <= place < end:
                yield place, row


def _of_all_workflows(lists: ApiLists, search: Search) -> Page:
    """Return a page of the newest runs of every workflow, merged."""
    every = [
        row
        for workflow_id in lists.snapshot.repository.workflows
        for row in lists.page(workflow_id, 0, NEWEST)
    ]
    every.sort(key=lambda row: str(row.run.get("started_at")), reverse=True)
    wanted = [row for row in every if search.wants(row)]
    rows = wanted[search.begin : search.begin + PAGE]
    return Page(rows, len(wanted), search.begin, search.begin + len(rows))
