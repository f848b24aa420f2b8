"""Rows of a list as the API would answer them next, with a session's contract faults."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from deadringer.contracts import Json, JsonObject
from deadringer.mockserver.world.service import Scene, Service

from .served_runs import answer_of, faults_met, next_read

if TYPE_CHECKING:
    from deadringer.mockserver.faults.contract import Answer

_USUAL_SIZE = 20


class ServedList(NamedTuple):
    """The rows to show, and in a sentence what the faults did to them, "" if they did nothing."""

    rows: list[JsonObject]
    note: str


@dataclass(frozen=True, slots=True)
class ListedRuns:
    """The list of one workflow."""

    service: Service
    scene: Scene
    workflow_id: str

    def served(self, rows: list[JsonObject], page: int, size: int) -> ServedList:
        """Give rows as the API would answer them on a page of the list.

        Where it would list other runs, or none, the rows are the true ones.
        """
        name = self.scene.session.name
        path = f"/v1/workflows/{quote(self.workflow_id, safe='')}/executions"
        ids, query = {"id": self.workflow_id}, {"page": str(page), "page_size": str(size)}
        traffic = next_read(self.service, name, "listExecutions", path, ids, query)
        traffic.ask = self._asked
        answer = self._answer(rows, page, size)
        return _told(rows, answer, faults_met(self.service.broken_promises(name), traffic, answer))

    def _asked(self, path: str) -> "Answer":
        query = dict(parse_qsl(urlsplit(path).query))
        page, size = int(query.get("page", 1)), int(query.get("page_size", _USUAL_SIZE))
        rows = self.scene.rows(self.workflow_id, (page - 1) * size, size)[0]
        return self._answer(rows, page, size)

    def _answer(self, rows: list[JsonObject], page: int, size: int) -> "Answer":
        total = self.scene.rows(self.workflow_id, 0, 0)[1]
        pages = {"total_count": total, "total_pages": -(-total // size)}
        data = {"executions": rows, "pagination": {"page": page, "page_size": size, **pages}}
        body = {"success": True, "message": "Executions retrieved successfully", "data": data}
        return answer_of(self.service, json.loads(json.dumps(body)))  # a fault may change it


def _told(rows: list[JsonObject], answer: "Answer", met: list[str]) -> ServedList:
    if not met:
        return ServedList(rows, "")
    because = f"Contract faults are on: {', '.join(met)}."
    told = answer.data.get("executions") if answer.raw is None else None
    if isinstance(told, list) and _ids(told) == _ids(rows):
        return ServedList(told, f"{because} The rows are as the API lists them.")
    note = f"{because} The API answers its list otherwise; these are the runs without them."
    return ServedList(rows, note)


def _ids(rows: list[Json]) -> list[Json]:
    return [row.get("run_id") if isinstance(row, dict) else None for row in rows]
