"""Forward one request: to the upstream, or to a recording of it, and its response back."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from flask import Response, request
from werkzeug.datastructures import Headers as ResponseHeaders

from deadringer.contracts import Exchange, Failure, Operation
from deadringer.mockserver.admin.control.access import require_own_page
from deadringer.mockserver.api.faults import (
    begin_faults,
    fault_names,
    prefer_fault,
    refusal_by_fault,
)
from deadringer.mockserver.api.middleware.journal import Journal
from deadringer.mockserver.context import (
    Preferences,
    RequestContext,
    context_of_request,
    is_api_path,
)
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.faults.transport import changes
from deadringer.mockserver.server.environ import RAW_PATH
from deadringer.mockserver.server.wire import BrokenConnectionError
from deadringer.mockserver.world.service import Service

from .exchanges import ForwardedRequest, exchange_of, operation_of
from .headers import ReturnedHeaders, forwarded, request_headers
from .refusals import no_recording, no_such_operation, no_websocket, unreachable
from .replay import Replay, StoredResponse
from .traffic import LiveTraffic
from .unmatched import NoRecording
from .upstream import Headers, Upstream, UpstreamError, UpstreamResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LOG = logging.getLogger("deadringer")
HEADER = "Deadringer-Violations"
JOURNAL_PAGE = "/__mock/ui/journal"
_OWN_PAGE = "Serve the page from localhost, or send the header yourself"
_WITHOUT_BODY = frozenset({204, 304})
_NOT_SENT = frozenset({Failure.DROPPED, Failure.MALFORMED, Failure.TOO_LARGE})
"""Failures that are the upstream's: it was reached, and its response is not whole."""


@dataclass(frozen=True, slots=True)
class ForwardingOptions:
    """How requests are forwarded; `largest` is in bytes, as sent and decoded.

    Responses of operations up to that size are validated before they are sent, larger ones pass.
    """

    keeps_host: bool = False
    passes_other_paths: bool = True
    largest: int = 4 * 2**20


class ProxiedResponse(Response):
    """A response with the headers of another server: none is added or changed."""

    default_mimetype = None

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> ResponseHeaders:
        """Return the headers, with the length of a body in memory."""
        headers = ResponseHeaders(self.headers)
        is_counted = self.is_sequence and self.status_code not in _WITHOUT_BODY
        if is_counted and "Content-Length" not in headers:
            headers["Content-Length"] = str(sum(map(len, self.iter_encoded())))
        return headers


class _Target(NamedTuple):
    """Path and query as sent, and the operation they belong to, with its path parameters."""

    path: str
    query: str
    operation: Operation | None
    path_parameters: dict[str, str]

    @property
    def whole(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class Forwarder:
    """Handles every request that is not for the proxy itself."""

    def __init__(
        self,
        service: Service,
        upstream: Upstream,
        traffic: LiveTraffic,
        journal: Journal | None,
        replay: Replay | None = None,
        options: ForwardingOptions | None = None,
    ) -> None:
        self._service = service
        self._upstream = upstream
        self._traffic = traffic
        self._journal = journal
        self._replay = replay
        self._options = options or ForwardingOptions()
        self._shares = service.settings.cors != "off"
        self._trouble = ""
        self._returned = ReturnedHeaders(upstream, drops_cors=self._shares)

    def handle(self) -> Response:
        """Return the response to the current request.

        Raises:
            ApiError: if it is not forwarded, and no recording responds.
        """
        context = context_of_request()
        context.is_proxied = True
        if self._upstream.access.headers:
            # They may be credentials, which every page of the same browser could use.
            require_own_page(self._service.settings, "a proxy with --header", _OWN_PAGE)
        headers = request_headers(request.environ)
        if "sec-websocket-key" in headers:
            raise no_websocket()
        if self._shares and "access-control-request-method" in headers:
            return ProxiedResponse(status=HTTPStatus.NO_CONTENT)  # CORS headers are added later
        target = _target(context)
        if target.operation is None and not self._options.passes_other_paths:
            raise no_such_operation(context.path)
        refusal = self._begin(context, target)
        return refusal or self._forwarded(context, target, headers)

    def _begin(self, context: RequestContext, target: _Target) -> Response | None:
        """Note what applies to a request of the API; return the response of a fault, if any."""
        if target.operation is not None:
            context.operation = target.operation.operation_id
            context.path_parameters = target.path_parameters
        if not is_api_path(context.path) or context.method == "OPTIONS":
            return None
        context.require_session_name()
        context.preferences = _preferred_fault(context)
        begin_faults(self._service, context)
        prefer_fault(context)
        return refusal_by_fault(context)

    def _forwarded(
        self, context: RequestContext, target: _Target, headers: dict[str, str]
    ) -> Response:
        body = request.environ["wsgi.input"].read()
        if self._replay and self._replay.always:
            return self._replayed(self._replay, context, target, headers, body)
        sent = forwarded(
            headers,
            [*self._upstream.access.headers],
            keeps_host=self._options.keeps_host,
            is_read=target.operation is not None,
            is_whole=_is_changed(context),
        )
        began_s = time.monotonic()
        try:
            response = self._upstream.open(context.method, target.whole, sent, body)
        except UpstreamError as error:
            self._note(error)
            if self._replay and error.failure not in _NOT_SENT:
                return self._replayed(self._replay, context, target, headers, body, error)
            raise unreachable(error, self._upstream) from error
        self._note(None)
        if target.operation is None:
            self._traffic.note_write(context.method, target.path)
            return self._streamed(response, response.pieces())
        request_sent = ForwardedRequest(
            context.method, target.path, target.query, dict(sent), body,
            target.operation, target.path_parameters, began_s,
        )  # fmt: skip
        return self._validated(context, request_sent, response)

    def _note(self, error: UpstreamError | None) -> None:
        """Log why the upstream cannot be reached, once until it can again."""
        trouble = f"{error.failure}: {error.cause}" if error else ""
        if error and trouble != self._trouble:
            LOG.warning("%s", unreachable(error, self._upstream).message)
        self._trouble = trouble

    def _replayed(
        self,
        replay: Replay,
        context: RequestContext,
        target: _Target,
        headers: dict[str, str],
        body: bytes,
        error: UpstreamError | None = None,
    ) -> Response:
        """Return a recorded response.

        Raises:
            ApiError: if none matches.
        """
        stored = replay.respond(
            context.method, target.path, target.query, headers, body, session=_place_of(context)
        )
        if isinstance(stored, NoRecording):
            raise no_recording(stored, error, self._service.redactor)
        if target.operation is not None:
            request_sent = ForwardedRequest(
                context.method, target.path, target.query, headers, body,
                target.operation, target.path_parameters, time.monotonic(),
            )  # fmt: skip
            self._traffic.remember(
                exchange_of(
                    request_sent, stored.status, [*stored.headers], stored.body, 0.0,
                    limit=len(stored.body),
                )
            )  # fmt: skip
        return self._response(stored.status, [*stored.headers], [stored.body])

    def recorded(self, path: str, query: str, headers: dict[str, str]) -> StoredResponse | None:
        """Return the recorded response that a GET would get next, None if there is an upstream.

        Raises:
            ApiError: if none matches.
        """
        if self._replay is None or not self._replay.always:
            return None
        session = _place_of(context_of_request())
        stored = self._replay.respond("GET", path, query, headers, session=session, advances=False)
        if isinstance(stored, NoRecording):
            raise no_recording(stored, None, self._service.redactor)
        return stored

    def _validated(
        self, context: RequestContext, sent: ForwardedRequest, response: UpstreamResponse
    ) -> Response:
        """Return the response of an operation, validated as it came, if it is not too large."""
        held: list[bytes] = []
        size, limit, pieces, broken = 0, self._options.largest, response.pieces(), None
        try:
            for piece in pieces:
                held.append(piece)
                size += len(piece)
                if size > limit:
                    return self._streamed(response, chain(held, pieces))
        except UpstreamError as error:
            broken = error
        elapsed_s = time.monotonic() - sent.sent_at_s
        body = b"".join(held)
        exchange = exchange_of(
            sent, response.status, response.headers, body, elapsed_s,
            failure=broken.failure if broken else None, cause=broken.cause if broken else "",
            limit=limit,
        )  # fmt: skip
        context.is_known_key = bool(context.key) and response.status != HTTPStatus.UNAUTHORIZED
        self._validate(context, exchange)
        if broken:
            return self._response(response.status, response.headers, _broken_off(body))
        shown, headers = body, response.headers
        if _is_changed(context) and not exchange.has_unknown_body:
            shown, headers = exchange.response_body, _without_coding(headers)
        result = self._response(response.status, headers, [shown])
        if context.violations:
            result.headers[HEADER] = self._verdict(context)
        return result

    def _validate(self, context: RequestContext, exchange: Exchange) -> None:
        if exchange.failure is not None and exchange.failure not in _NOT_SENT:
            return
        context.journal_number = self._journal.reserve() if self._journal else 0
        found = self._traffic.observe(exchange, context.journal_number)
        context.violations = tuple(found)

    def _verdict(self, context: RequestContext) -> str:
        count = str(len(context.violations or ()))
        if self._journal is None:
            return count
        return f"{count}; see={_own_url()}{JOURNAL_PAGE}#{context.journal_number}"

    def _streamed(self, response: UpstreamResponse, pieces: Iterable[bytes]) -> Response:
        """Return a response that passes as it arrives."""
        is_bodiless = request.method == "HEAD" or response.status in _WITHOUT_BODY
        if is_bodiless:
            pieces = [*_whole(pieces)]
        result = self._response(response.status, response.headers, _whole(pieces))
        result.call_on_close(response.close)
        return result

    def _response(self, status: int, headers: Headers, body: Iterable[bytes]) -> Response:
        if isinstance(body, list) and request.method == "HEAD":
            body = iter(())  # its length is not that of the response to GET
        result = ProxiedResponse(body, status=status)
        for name, value in self._returned.of(headers, _own_url()):
            result.headers.add(name, value)
        return result


def _place_of(context: RequestContext) -> str:
    """Return the name of a client's place in a recording: a session begins anew after a reset."""
    session = context.snapshot.session
    return f"{session.name} {session.begun}"


def _target(context: RequestContext) -> _Target:
    environ = request.environ
    path = str(environ.get(RAW_PATH) or environ["PATH_INFO"])
    found = operation_of(context.method, path)
    return _Target(path, environ["QUERY_STRING"], *(found or (None, {})))


def _own_url() -> str:
    return request.host_url.rstrip("/")


def _preferred_fault(context: RequestContext) -> Preferences:
    """Return the fault that the request prefers; other preferences are the upstream's.

    Raises:
        ApiError: VALIDATION_ERROR if there is no such fault.
    """
    name = context.prefer.get("fault")
    if name is None:
        return Preferences()
    if name not in fault_names():
        line = f"Prefer: fault={name[:40]} is not possible; use one of: {', '.join(fault_names())}"
        raise ApiError(
            "VALIDATION_ERROR",
            "Request has 1 validation error(s)",
            "Use one of the values that are named, or leave the preference out",
            details={"errors": [line]},
        )
    return Preferences({"fault": name})


def _is_changed(context: RequestContext) -> bool:
    """Return whether a fault is to change the response, which then has to be whole and plain."""
    transport = context.transport_faults
    return bool(context.contract_faults) or any(changes(fault) for fault, _ in transport)


def _without_coding(headers: Headers) -> Headers:
    dropped = {"content-encoding", "content-length"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _whole(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a body; break the connection off if the upstream does."""
    try:
        yield from pieces
    except UpstreamError as error:
        raise BrokenConnectionError from error


def _broken_off(begun: bytes) -> Iterator[bytes]:
    if begun:
        yield begun
    raise BrokenConnectionError
