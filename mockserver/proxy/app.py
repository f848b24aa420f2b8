"""Build the applications of the proxy: what is forwarded, and everything under `/__mock/`."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.datastructures import Headers

from deadringer.contracts.check import TrafficOptions, TrafficValidator
from deadringer.contracts.redaction import SHORTEST_KEY, GrowingRedactor
from deadringer.mockserver.admin.control.routes import add_control
from deadringer.mockserver.admin.ui import add_proxy_pages
from deadringer.mockserver.api.contract_faults import apply_contract_faults
from deadringer.mockserver.api.faults import end_faults
from deadringer.mockserver.api.http import compressing
from deadringer.mockserver.api.in_process import InProcessResponse
from deadringer.mockserver.api.middleware.coverage import Coverage, CoverageLayer
from deadringer.mockserver.api.middleware.journal import Journal, JournalLayer
from deadringer.mockserver.api.middleware.request_log import RequestLog
from deadringer.mockserver.api.routes import bare_options, set_preferences
from deadringer.mockserver.app import EXTENSION, ByPath, bare_app, share_with_browsers
from deadringer.mockserver.config import Settings
from deadringer.mockserver.context import ContextLayer, context_of_request
from deadringer.mockserver.state.clock import SystemClock
from deadringer.mockserver.world.documents import LoadedExecutions
from deadringer.mockserver.world.service import Service

from .announcing import ViolationLog
from .forwarding import HEADER, Forwarder, ForwardingOptions
from .headers import request_headers
from .refusals import unreachable
from .replay import REPLAY_HEADER, Replay
from .traffic import LiveTraffic, Observer
from .upstream import Upstream, UpstreamError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG, TRAFFIC = "deadringer.violations", "deadringer.traffic"
_CONTROL_ROOT = "/__mock"
_CREDENTIALS = ("x-api-key", "authorization", "cookie")


def build_proxy_app(
    settings: Settings,
    upstream: Upstream,
    *,
    rules: TrafficOptions | None = None,
    options: ForwardingOptions | None = None,
    observers: Sequence[Observer] = (),
    replay: Replay | None = None,
) -> Flask:
    """Return the application; its `extensions` have its `Service`, TRAFFIC and LOG.

    `observers` get each complete exchange of an operation as the upstream sent it, with the body
    decoded, if the response is not larger than `options.largest`. `replay` responds in place of an
    upstream that cannot be reached, or always.

    Raises:
        StartError: if a setting cannot be used.
    """
    redactor = GrowingRedactor(settings.api_keys, others=upstream.access.secrets())
    service = Service(settings, LoadedExecutions(()), SystemClock())
    service.redactor = redactor
    log = ViolationLog(redactor, has_pages=settings.control)
    traffic = LiveTraffic(
        TrafficValidator(rules or TrafficOptions(upstream.base_url), redactor, log.warn),
        log.announce,
        observers,
    )
    journal = Journal() if settings.control else None
    forwarder = Forwarder(service, upstream, traffic, journal, replay, options)
    app = bare_app(service)
    _forward_all(app, service, upstream, forwarder)
    share_with_browsers(app, settings.cors, HEADER, REPLAY_HEADER, local_only=True)
    app.extensions |= {EXTENSION: service, TRAFFIC: traffic, LOG: log}
    # Each of these wraps the one before it.
    forwarding = app.wsgi_app
    coverage = Coverage()
    admin = partial(_admin_app, service, journal, coverage, traffic)
    app.wsgi_app = ByPath(forwarding, admin, _is_forwarded)  # type: ignore[method-assign] # Flask's own way
    if journal:
        app.wsgi_app = CoverageLayer(app.wsgi_app, coverage)  # type: ignore[method-assign] # Flask's own way
        app.wsgi_app = JournalLayer(app.wsgi_app, journal)  # type: ignore[method-assign] # Flask's own way
    app.wsgi_app = RequestLog(app.wsgi_app, redactor)  # type: ignore[method-assign] # Flask's own way
    app.wsgi_app = ContextLayer(app.wsgi_app, service)  # type: ignore[method-assign] # Flask's own way
    app.wsgi_app = _LearningLayer(app.wsgi_app, redactor)  # type: ignore[method-assign] # Flask's own way
    return app


def _is_forwarded(path: str) -> bool:
    return path != _CONTROL_ROOT and not path.startswith(f"{_CONTROL_ROOT}/")


def _forward_all(app: Flask, service: Service, upstream: Upstream, forwarder: Forwarder) -> None:
    """Forward every request, whatever its path and method, and apply the faults in force."""
    app.before_request(forwarder.handle)
    own_requests = _UpstreamRequests(upstream, forwarder)
    # Flask calls them in reverse order.
    app.after_request(_mark_streamed)
    app.after_request(end_faults)
    app.after_request(set_preferences)
    app.after_request(lambda response: apply_contract_faults(service, own_requests, (), response))


def _mark_streamed(response: Response) -> Response:
    context_of_request().is_streamed = response.is_streamed
    return response


def _admin_app(
    service: Service, journal: Journal | None, coverage: Coverage, traffic: LiveTraffic
) -> Flask:
    """Return the application under `/__mock/`: pages and control API, without those of a mock."""
    app = bare_app(service)
    app.after_request(compressing(app))
    app.after_request(bare_options)
    if journal is not None:
        add_control(app, service, journal, coverage, traffic)  # also protects the pages
        add_proxy_pages(app, service, journal, coverage, traffic)
    return app


class _UpstreamRequests:
    """Requests that contract faults send: to the upstream, with the key of the current request.

    Without an upstream they get recorded responses.
    """

    def __init__(self, upstream: Upstream, forwarder: Forwarder) -> None:
        self._upstream = upstream
        self._forwarder = forwarder

    def get(self, path: str, query: str, _session: str) -> InProcessResponse:
        """Return the response to a GET; `path` is decoded, `query` percent-encoded.

        Raises:
            ApiError: if the upstream does not respond, or no recording.
        """
        sent = request_headers(request.environ)
        headers = [(name, sent[name]) for name in _CREDENTIALS if name in sent]
        path = quote(path, safe="/:@!$&'()*+,;=~")
        stored = self._forwarder.recorded(path, query, dict(headers))
        if stored is not None:
            return InProcessResponse(stored.status, Headers([*stored.headers]), stored.body, ())
        target = path + (f"?{query}" if query else "")
        try:
            response = self._upstream.open(
                "GET", target, [*headers, *self._upstream.access.headers]
            )
            body = b"".join(response.pieces())
        except UpstreamError as error:
            raise unreachable(error, self._upstream) from error
        return InProcessResponse(response.status, Headers(response.headers), body, ())


class _LearningLayer:
    """WSGI middleware that shows the redactor the key of each request before it is logged."""

    def __init__(self, application: "WSGIApplication", redactor: GrowingRedactor) -> None:
        self._application = application
        self._redactor = redactor

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request."""
        _scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        secrets = (environ.get("HTTP_X_API_KEY", "").strip(), credentials.strip())
        self._redactor.learn(*(one for one in secrets if len(one) >= SHORTEST_KEY))
        return self._application(environ, start_response)
