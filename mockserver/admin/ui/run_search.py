"""Finds runs for the page that lists them, never looking at more of them than it was granted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .api_view import AnsweredLists, Row

PAGE = 25
WINDOW = 2000
"""How many runs of one workflow a filter looks at before it asks whether to go on."""
WIDE_WINDOW = 10_000
"""How many it looks at if it is told to go on farther: that takes a second or two."""
NEWEST = 100
"""How many runs of each workflow the list of all workflows holds."""
_CHUNK = 100
"""The most rows a page of the API holds."""


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; "" is anything.

    `begin` is the place in the list to start from. With `before`, the runs just before that place
    are looked for instead, from there to the newer ones.
    """

    workflow_id: str = ""
    status: str = ""
    text: str = ""
    begin: int = 0
    before: int = 0
    window: int = WINDOW

    @property
    def is_filter(self) -> bool:
        """Whether some runs are left out."""
        return bool(self.status or self.text)

    def wants(self, row: Row) -> bool:
        """Return whether a row is what is looked for."""
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
        """The place to go on from to older runs, if there are any."""
        return self.end if self.end < self.total else None

    @property
    def is_full(self) -> bool:
        """Whether it ends because it holds enough, not because it has looked long enough."""
        return len(self.rows) == PAGE


def find_runs(lists: AnsweredLists, search: Search) -> Page:
    """Return a page of the runs that are looked for, newest first."""
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


def _before(lists: AnsweredLists, search: Search) -> Page:
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


def _walk(lists: AnsweredLists, search: Search, end: int) -> Iterator[tuple[int, Row]]:
    """Yield the rows from the search's beginning on, each with its place."""
    is_one_page = end - search.begin <= PAGE and search.begin % PAGE == 0
    size = PAGE if is_one_page else _CHUNK
    for begin in range(search.begin - search.begin % size, end, size):
        for place, row in enumerate(lists.page(search.workflow_id, begin, size), begin):
            if search.begin <= place < end:
                yield place, row


def _walk_back(
    lists: AnsweredLists, search: Search, begin: int, end: int
) -> Iterator[tuple[int, Row]]:
    """Yield the rows between two places, the last one first."""
    first = begin - begin % _CHUNK
    for chunk in reversed(range(first, end, _CHUNK)):
        page = list(enumerate(lists.page(search.workflow_id, chunk, _CHUNK), chunk))
        for place, row in reversed(page):
            if begin <= place < end:
                yield place, row


def _of_all_workflows(lists: AnsweredLists, search: Search) -> Page:
    """Merge the newest runs of every workflow: as far as one goes without choosing a workflow."""
    every = [
        row
        for workflow_id in lists.snapshot.repository.workflows
        for row in lists.page(workflow_id, 0, NEWEST)
    ]
    every.sort(key=lambda row: str(row.run.get("started_at")), reverse=True)
    wanted = [row for row in every if search.wants(row)]
    rows = wanted[search.begin : search.begin + PAGE]
    return Page(rows, len(wanted), search.begin, search.begin + len(rows))
