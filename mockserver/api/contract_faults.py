"""Apply the contract faults in force to the current response."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from flask import Response, request

from deadringer.contracts import Json, json_bytes
from deadringer.mockserver.context import RequestContext, context_of_request
from deadringer.mockserver.errors import ApiError, error_response
from deadringer.mockserver.state.events import EventLog
from deadringer.mockserver.world.service import Service

from .in_process import InProcessResponse

if TYPE_CHECKING:
    from deadringer.mockserver.faults.contract import ContractFault, MutableResponse, Traffic


class _SessionCounts:
    """Counters of a session, which a reset of the session clears; optionally read-only."""

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


class OwnRequests(Protocol):
    """Sends the requests that a contract fault needs besides."""

    def get(self, path: str, query: str, session: str, /) -> InProcessResponse:
        """Return the response; `path` is decoded, `query` percent-encoded."""


def apply_contract_faults(
    service: Service, api: OwnRequests, own: Sequence["ContractFault"], response: Response
) -> Response:
    """Return the response after the faults of `own` and those in force.

    A changed response loses its validators, because it is not the original any more.
    """
    context = context_of_request()
    if not context.contract_faults and not own:
        return response
    from deadringer.mockserver.faults.contract import apply_fault, faults_named

    changed, faults = _mutable_copy(response), (*own, *faults_named(context.contract_faults))
    try:
        traffic = _traffic(service, api, context)
        context.changed_by = tuple(one.name for one in faults if apply_fault(one, traffic, changed))
    except ApiError as error:  # a counter could not be written
        return error_response(error)
    if context.prefer.get("fault") in {*context.contract_faults} - {*context.changed_by}:
        context.preferences.applied.pop("fault", None)
    return _with(response, changed) if context.changed_by else response


def _mutable_copy(response: Response) -> "MutableResponse":
    from deadringer.mockserver.faults.contract import MutableResponse

    body, raw = parsed(response.get_data())
    return MutableResponse(response.status_code, response.headers.copy(), body, raw)


def parsed(raw: bytes) -> tuple[Json, bytes | None]:
    """Return (value, None) for a JSON body, or (None, body) for one that is not JSON."""
    try:
        body: Json = json.loads(raw)
    except ValueError:
        return None, raw
    return body, None


def _traffic(service: Service, api: OwnRequests, context: RequestContext) -> "Traffic":
    from deadringer.mockserver.faults.contract import MutableResponse, Traffic

    counts = _SessionCounts(
        service.events, context.session_name, is_reading_only=context.is_reading_only
    )

    def send(target: str) -> MutableResponse:
        path, _, query = target.partition("?")
        response = api.get(path, query, context.session_name)
        body, raw = parsed(response.body)
        return MutableResponse(response.status, response.headers, body, raw)

    # HEAD returns the headers of GET, so both are counted together.
    method = "GET" if context.method == "HEAD" else context.method
    query = request.query_string.decode("latin-1")
    return Traffic(
        method=method,
        path=context.path,
        operation_id=context.operation,
        ids=context.path_parameters,
        query=dict(parse_qsl(query)),
        key=context.key,
        has_good_key=context.is_known_key,
        count=counts.add(f"{method} {context.path}?{query}"),
        counts=counts,
        send=send,
        is_bearer="Authorization" in request.headers,
    )


def _with(response: Response, changed: "MutableResponse") -> Response:
    """Return the response as the faults changed it, without validators."""
    raw = changed.raw
    if raw is None:
        raw = json_bytes(changed.body)
    response.status_code = changed.status
    response.headers = changed.headers
    response.set_data(raw)
    for name in ("ETag", "Last-Modified"):
        response.headers.pop(name, None)
    return response
