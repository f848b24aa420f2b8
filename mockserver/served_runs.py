"""A run as the API would answer it next: with what a session's contract faults do to it."""

import json
from typing import TYPE_CHECKING, NamedTuple

from contracts import JsonObject

from .executions import NamedRun, envelope_bytes
from .service import Service

if TYPE_CHECKING:
    from .contract_faults import Answer, Traffic

_TELLING = {"run_id", "steps", "status"}


class ServedRun(NamedTuple):
    """The run to show, and in a sentence what the faults did to it, "" if they did nothing."""

    execution: JsonObject
    note: str


def served_run(service: Service, session: str, execution: JsonObject) -> ServedRun:
    """Give a run as the API would answer it; where it would give none, as it truly is.

    The question counts as no read: faults that need several meet as many as there were.
    """
    names = service.broken_promises(session)
    if not names:
        return ServedRun(execution, "")
    from .contract_faults import Answer, faults_named  # few servers are broken

    limit = str(service.settings.rate_policy.limit)
    headers = {"ratelimit-limit": limit, "ratelimit-remaining": limit}
    answer = Answer(200, headers, json.loads(envelope_bytes(execution)))
    traffic = _next_read(service, session, execution)
    met = []
    for fault in faults_named(names):
        before = _text(answer)
        fault.change(traffic, answer)
        if _text(answer) != before:
            met.append(fault.name)
    return _told(execution, answer, met)


def _told(execution: JsonObject, answer: "Answer", met: list[str]) -> ServedRun:
    if not met:
        return ServedRun(execution, "")
    because = f"Contract faults are on: {', '.join(met)}."
    if answer.raw is None and _TELLING & answer.data.keys():
        return ServedRun(answer.data, f"{because} This is the run as the API answers it.")
    given = f"{answer.status}" if answer.status != 200 else "something else"
    return ServedRun(execution, f"{because} The API answers {given}; this is the run without them.")


def _text(answer: "Answer") -> str:
    return json.dumps([answer.status, answer.body, repr(answer.raw)])


class _CountsSoFar:
    """The counters of the API's own reads, which looking does not raise."""

    def __init__(self, service: Service, session: str) -> None:
        self._service = service
        self._session = session

    def add(self, name: str) -> int:
        return self.value(name)

    def value(self, name: str) -> int:
        return self._service.store.counted(self._session, f"promise {name}")


def _next_read(service: Service, session: str, execution: JsonObject) -> "Traffic":
    from .contract_faults import Answer, Traffic

    ids = {"id": str(execution["workflow_id"]), "runId": str(execution["run_id"])}
    path = NamedRun("", "", "", ids["id"], ids["runId"]).path
    counts = _CountsSoFar(service, session)
    return Traffic(
        method="GET",
        path=path,
        operation_id="getExecution",
        ids=ids,
        query={},
        key=service.settings.api_keys[0],
        has_good_key=True,
        count=counts.value(f"GET {path}?"),
        counts=counts,
        ask=lambda _path: Answer(404, {}, None),
    )
