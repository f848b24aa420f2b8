"""A run as the API would answer it next: with what a session's contract faults do to it."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from deadringer.contracts import JsonObject
from deadringer.mockserver.world.documents import NamedRun, envelope_bytes
from deadringer.mockserver.world.service import Service

if TYPE_CHECKING:
    from deadringer.mockserver.faults.contract import Answer, Traffic

_NO_QUERY: Mapping[str, str] = MappingProxyType({})
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
    answer = answer_of(service, json.loads(envelope_bytes(execution)))
    ids = {"id": str(execution["workflow_id"]), "runId": str(execution["run_id"])}
    path = NamedRun("", "", "", ids["id"], ids["runId"]).path
    traffic = next_read(service, session, "getExecution", path, ids)
    return _told(execution, answer, faults_met(names, traffic, answer))


def answer_of(service: Service, body: JsonObject) -> "Answer":
    """Give the good answer with a body."""
    from deadringer.mockserver.faults.contract import Answer  # few servers are broken

    limit = str(service.settings.rate_policy.limit)
    return Answer(200, {"ratelimit-limit": limit, "ratelimit-remaining": limit}, body)


def faults_met(names: Sequence[str], traffic: "Traffic", answer: "Answer") -> list[str]:
    """Put faults into an answer; give the names of those that changed it."""
    from deadringer.mockserver.faults.contract import faults_named, put_fault

    met = []
    for fault in faults_named(names):
        before = _text(answer)
        put_fault(fault, traffic, answer)
        if _text(answer) != before:
            met.append(fault.name)
    return met


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
        return self._service.events.counted(self._session, f"promise {name}")


def next_read(
    service: Service,
    session: str,
    operation_id: str,
    path: str,
    ids: Mapping[str, str],
    query: Mapping[str, str] = _NO_QUERY,
) -> "Traffic":
    """Give the next read of an operation, as faults see it; whatever they ask for is not found."""
    from deadringer.mockserver.faults.contract import Answer, Traffic

    counts = _CountsSoFar(service, session)
    return Traffic(
        method="GET",
        path=path,
        operation_id=operation_id,
        ids=ids,
        query=query,
        key=service.settings.api_keys[0],
        has_good_key=True,
        count=counts.value(f"GET {path}?{urlencode(query)}"),
        counts=counts,
        ask=lambda _path: Answer(404, {}, None),
    )
