"""Finds runs for the page that lists them, never looking at more than a window of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from contracts import JsonObject
from mockserver.service import Scene

PAGE = 25
WINDOW = 2000
"""How many runs of one workflow a filter looks at before it asks whether to go on."""
NEWEST = 100
"""How many runs of each workflow the list of all workflows holds."""
_CHUNK = 200


class Row(NamedTuple):
    """A row of the list, and the workflow it stands in."""

    workflow_id: str
    run: JsonObject


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; "" is anything. `begin` is the place in the list to start from."""

    workflow_id: str = ""
    status: str = ""
    text: str = ""
    begin: int = 0

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
        told = f"{row.run['run_id']} {row.workflow_id} {row.run['error'] or ''}"
        return self.text.casefold() in told.casefold()


class Page(NamedTuple):
    """Some rows; `looked_at` of `total` were looked at, `following` is where to go on, if there."""

    rows: list[Row]
    total: int
    begin: int
    looked_at: int
    following: int | None


def find_runs(scene: Scene, search: Search) -> Page:
    """Give a page of the runs that are looked for, newest first."""
    if not search.workflow_id:
        return _of_all_workflows(scene, search)
    total = scene.rows(search.workflow_id, 0, 0)[1]
    window = WINDOW if search.is_filter else PAGE
    rows: list[Row] = []
    place = search.begin
    for place, row in _walk(scene, search, window):
        if search.wants(row):
            rows.append(row)
        place += 1
        if len(rows) == PAGE:
            break
    following = place if place < total else None
    return Page(rows, total, search.begin, place - search.begin, following)


def _walk(scene: Scene, search: Search, window: int) -> Iterator[tuple[int, Row]]:
    place = search.begin
    end = place + window
    while place < end:
        size = min(_CHUNK, end - place)
        found = scene.rows(search.workflow_id, place, size)[0]
        for run in found:
            yield place, Row(search.workflow_id, run)
            place += 1
        if len(found) < size:
            return


def _of_all_workflows(scene: Scene, search: Search) -> Page:
    """Merge the newest runs of every workflow: as far as one goes without choosing a workflow."""
    every = [
        Row(workflow_id, run)
        for workflow_id in scene.family.workflows
        for run in scene.rows(workflow_id, 0, NEWEST)[0]
    ]
    every.sort(key=lambda row: str(row.run["started_at"]), reverse=True)
    wanted = [row for row in every if search.wants(row)]
    rows = wanted[search.begin : search.begin + PAGE]
    following = search.begin + PAGE
    return Page(
        rows, len(wanted), search.begin, len(rows), following if following < len(wanted) else None
    )
