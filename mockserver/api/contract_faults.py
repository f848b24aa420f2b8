"""Puts the contract faults in force into the response at hand."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from flask import Response, request

from deadringer.contracts import Json, json_bytes
from deadringer.mockserver.context import RequestContext, context_of_request
from deadringer.mockserver.errors import ApiError, error_response
from deadringer.mockserver.state.events import EventLog
from deadringer.mockserver.world.service import Service

from .in_process import InProcessApi

if TYPE_CHECKING:
    from deadringer.mockserver.faults.contract import Answer, ContractFault, Traffic


class _SessionCounts:
    """Counters of a session, which a reset of the session clears; only reads if told so."""

    def __init__(self, events: EventLog, session: str, *, is_reading_only: bool) -> None:
        self._events = events
        self._session = session
        self._is_reading_only = is_reading_only

    def add(self, name: str) -> int:
        if self._is_reading_only:
            return self.value(name)
        return self._events.count(self._session, f"contract fault {name}")

    def value(self, name: str) -> int:
        return self._events.counted(self._session, f"contract fault {name}")


def apply_contract_faults(
    service: Service, api: InProcessApi, own: Sequence["ContractFault"], response: Response
) -> Response:
    """Return the response with the faults in force in it, after those of the caller's `own`.

    A response that they change loses its validators: it is not the true one.
    """
    context = context_of_request()
    if not context.contract_faults and not own:
        return response
    from deadringer.mockserver.faults.contract import apply_fault, faults_named

    answer, faults = _answer_of(response), (*own, *faults_named(context.contract_faults))
    try:
        traffic = _traffic(service, api, context)
        context.changed_by = tuple(one.name for one in faults if apply_fault(one, traffic, answer))
    except ApiError as error:  # a counter could not be written
        return error_response(error)
    if context.prefer.get("fault") in {*context.contract_faults} - {*context.changed_by}:
        context.preferences.applied.pop("fault", None)
    return _with(response, answer) if context.changed_by else response


def _answer_of(response: Response) -> "Answer":
    from deadringer.mockserver.faults.contract import Answer

    body, raw = parsed(response.get_data())
    return Answer(response.status_code, response.headers.copy(), body, raw)


def parsed(raw: bytes) -> tuple[Json, bytes | None]:
    """Return the JSON value of a body and None; of one that is not JSON, None and the body."""
    try:
        body: Json = json.loads(raw)
    except ValueError:
        return None, raw
    return body, None


def _traffic(service: Service, api: InProcessApi, context: RequestContext) -> "Traffic":
    from deadringer.mockserver.faults.contract import Answer, Traffic

    counts = _SessionCounts(
        service.events, context.session_name, is_reading_only=context.is_reading_only
    )

    def ask(target: str) -> Answer:
        path, _, query = target.partition("?")
        response = api.get(path, query, context.session_name)
        body, raw = parsed(response.body)
        return Answer(response.status, response.headers, body, raw)

    # HEAD says what GET would answer, so it is counted with it.
    method = "GET" if context.method == "HEAD" else context.method
    query = request.query_string.decode("latin-1")
    return Traffic(
        method=method,
        path=context.path,
        operation_id=context.operation,
        ids=context.path_parameters,
        query=dict(parse_qsl(query)),
        key=context.key,
        has_good_key=context.key in service.settings.api_keys,
        count=counts.add(f"{method} {context.path}?{query}"),
        counts=counts,
        ask=ask,
        is_bearer="Authorization" in request.headers,
    )


def _with(response: Response, answer: "Answer") -> Response:
    """Return the response as the faults left it: neither its validators nor its bytes are true."""
    raw = answer.raw
    if raw is None:
        raw = json_bytes(answer.body)
    response.status_code = answer.status
    response.headers = answer.headers
    response.set_data(raw)
    for name in ("ETag", "Last-Modified"):
        response.headers.pop(name, None)
    return response
