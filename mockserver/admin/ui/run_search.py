"""Finds runs for the page that lists them, never looking at more of them than it was granted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from deadringer.contracts import JsonObject
from deadringer.mockserver.world.service import Scene

PAGE = 25
WINDOW = 2000
"""How many runs of one workflow a filter looks at before it asks whether to go on."""
WIDE_WINDOW = 10_000
"""How many it looks at if it is told to go on farther: that takes a second or two."""
NEWEST = 100
"""How many runs of each workflow the list of all workflows holds."""
_CHUNK = 200


class Row(NamedTuple):
    """A row of the list, and the run it stands for, whatever a fault makes the row say."""

    workflow_id: str
    run_id: str
    run: JsonObject


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
        """Tell whether a row is what is looked for."""
        if self.status and row.run["status"] != self.status:
            return False
        if not self.text:
            return True
        told = f"{row.run_id} {row.workflow_id} {row.run['error'] or ''}"
        return self.text.casefold() in told.casefold()


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


def find_runs(scene: Scene, search: Search) -> Page:
    """Give a page of the runs that are looked for, newest first."""
    if search.before:
        return _before(scene, search)
    if not search.workflow_id:
        return _of_all_workflows(scene, search)
    total = scene.rows(search.workflow_id, 0, 0)[1]
    search = replace(search, begin=min(search.begin, total))
    window = search.window if search.is_filter else PAGE
    rows: list[Row] = []
    place = search.begin
    for place, row in _walk(scene, search, window):
        if search.wants(row):
            rows.append(row)
        place += 1
        if len(rows) == PAGE:
            break
    return Page(rows, total, search.begin, place)


def _before(scene: Scene, search: Search) -> Page:
    """Give the page that ends before a place; at the newest run, the first page."""
    if not search.is_filter or not search.workflow_id:
        return find_runs(scene, replace(search, begin=max(0, search.before - PAGE), before=0))
    total = scene.rows(search.workflow_id, 0, 0)[1]
    end = place = min(search.before, total)
    rows: list[Row] = []
    for at, row in _walk_back(scene, search, end):
        if search.wants(row):
            if len(rows) == PAGE:
                break
            rows.append(row)
        place = at
    if place == 0 and len(rows) < PAGE:
        return find_runs(scene, replace(search, begin=0, before=0))
    return Page(rows[::-1], total, place, end)


def _walk(scene: Scene, search: Search, window: int) -> Iterator[tuple[int, Row]]:
    place = search.begin
    end = place + window
    while place < end:
        size = min(_CHUNK, end - place)
        found = _rows(scene, search.workflow_id, place, size)
        for row in found:
            yield place, row
            place += 1
        if len(found) < size:
            return


def _walk_back(scene: Scene, search: Search, place: int) -> Iterator[tuple[int, Row]]:
    last = max(0, place - search.window)
    while place > last:
        begin = max(last, place - _CHUNK)
        for row in reversed(_rows(scene, search.workflow_id, begin, place - begin)):
            place -= 1
            yield place, row


def _rows(scene: Scene, workflow_id: str, place: int, size: int) -> list[Row]:
    found = scene.rows(workflow_id, place, size)[0]
    return [Row(workflow_id, str(run["run_id"]), run) for run in found]


def _of_all_workflows(scene: Scene, search: Search) -> Page:
    """Merge the newest runs of every workflow: as far as one goes without choosing a workflow."""
    every = [
        row
        for workflow_id in scene.family.workflows
        for row in _rows(scene, workflow_id, 0, NEWEST)
    ]
    every.sort(key=lambda row: str(row.run["started_at"]), reverse=True)
    wanted = [row for row in every if search.wants(row)]
    rows = wanted[search.begin : search.begin + PAGE]
    return Page(rows, len(wanted), search.begin, search.begin + len(rows))
