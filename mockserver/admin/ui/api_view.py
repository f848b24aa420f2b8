"""Runs and lists as the API returns them, for the pages that show them.

They are requested in-process, in the session and at the time of the page. Such a request does not
count as a read, so it does not affect faults that depend on the number of reads.
"""

import json
from typing import NamedTuple

from deadringer.contracts import Json, JsonObject
from deadringer.mockserver.api.in_process import InProcessApi, InProcessResponse
from deadringer.mockserver.world.service import Snapshot

_SHOWABLE = {"run_id", "steps", "status"}


class Row(NamedTuple):
    """A row of the list, with the ids of its run, which a fault may have changed in the row."""

    workflow_id: str
    run_id: str
    run: JsonObject


class ApiRun(NamedTuple):
    """The run to show, and a sentence about contract faults that changed it, "" for none."""

    execution: JsonObject
    remark: str


def api_run(api: InProcessApi, snapshot: Snapshot, execution: JsonObject) -> ApiRun:
    """Return a run as the API returns it; where a fault hides it, the run without faults."""
    path = f"/v1/workflows/{execution['workflow_id']}/executions/{execution['run_id']}"
    response = api.get_as_client(path, "", snapshot)
    data = _data_of(response)
    is_run = isinstance(data, dict) and bool(_SHOWABLE & data.keys())
    shown = data if is_run and isinstance(data, dict) else execution
    if not response.changed_by:
        return ApiRun(shown, "")
    because = _because(response)
    if is_run:
        return ApiRun(shown, f"{because} This is the run as the API returns it.")
    returned = f"{response.status}" if response.status != 200 else "something else"
    return ApiRun(shown, f"{because} The API returns {returned}; this is the run without them.")


class ApiLists:
    """The lists of runs of one session, page by page, with remarks about contract faults."""

    def __init__(self, api: InProcessApi, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._api = api
        self._remarks: dict[str, None] = {}

    @property
    def remark(self) -> str:
        """Sentences about the contract faults that changed a page, "" for none."""
        return " ".join(self._remarks)

    def total(self, workflow_id: str) -> int:
        """Return how many runs a workflow has."""
        return self.snapshot.rows(workflow_id, 0, 0)[1]

    def page(self, workflow_id: str, place: int, size: int) -> list[Row]:
        """Return the rows from `place` on, a multiple of `size`, which is at most 100.

        They are those that the API lists; where a fault hides them, those without faults.
        """
        path = f"/v1/workflows/{workflow_id}/executions"
        query = f"page={place // size + 1}&page_size={size}"
        response = self._api.get_as_client(path, query, self.snapshot)
        rows = _rows_of(response)
        if response.changed_by:
            shown = "The rows are as the API lists them."
            hidden = "The API returns another list; these are the runs without them."
            self._remarks[f"{_because(response)} {hidden if rows is None else shown}"] = None
        if rows is None:
            rows = self.snapshot.rows(workflow_id, place, size)[0]
        return [Row(workflow_id, str(run["run_id"]), run) for run in rows[:size]]


def _because(response: InProcessResponse) -> str:
    return f"Contract faults are on: {', '.join(response.changed_by)}."


def _data_of(response: InProcessResponse) -> Json:
    try:
        body: Json = json.loads(response.body)
    except ValueError:
        return None
    return body.get("data") if isinstance(body, dict) and response.status == 200 else None


def _rows_of(response: InProcessResponse) -> list[JsonObject] | None:
    data = _data_of(response)
    rows = data.get("executions") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return None
    found = [row for row in rows if isinstance(row, dict) and isinstance(row.get("run_id"), str)]
    return found if len(found) == len(rows) else None
