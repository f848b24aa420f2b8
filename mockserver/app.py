"""Build the Flask applications: the API, and everything under `/__mock/`."""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, Request
from flask_cors import CORS
from werkzeug.routing import MapAdapter

from .api.http import compressing
from .api.in_process import InProcessApi
from .api.middleware.cache import ResponseCache
from .api.middleware.coverage import Coverage, CoverageLayer
from .api.middleware.journal import Journal, JournalLayer
from .api.middleware.request_log import RequestLog
from .api.routes import add_api, bare_options
from .config import Settings
from .context import CONTEXT, ContextLayer, context_of_request, is_api_path
from .errors import add_error_handlers
from .faults.transport import API_ROOT
from .state.clock import Clock, SystemClock
from .world.documents import ExecutionSource, load_executions
from .world.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .faults.contract import ContractFault

EXTENSION = "deadringer"
JOURNAL = "deadringer.journal"
EXPOSED_HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "ETag",
    "Preference-Applied",
)


_LOCAL_ORIGINS = re.compile(
    r"https?://(localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$", re.IGNORECASE
)
_API_PATHS = rf"{API_ROOT}(/.*)?$"
_OTHER_PATHS = rf"/(?!__mock/)(?!{API_ROOT[1:]}(/|$)).*"


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    executions: ExecutionSource | None = None,
    contract_faults: Sequence["ContractFault"] = (),
) -> Flask:
    """Return the application; its `Service` is `app.extensions["deadringer"]`.

    `contract_faults` apply to every response, beside those that sessions and requests choose.

    Raises:
        StartError: if a document is invalid.
    """
    service = Service(
        settings,
        load_executions(settings.fixtures) if executions is None else executions,
        clock or SystemClock(),
    )
    app = bare_app(service)
    api = InProcessApi(app.wsgi_app, service)
    add_api(app, service, api, contract_faults)
    share_with_browsers(app, settings.cors)
    app.extensions[EXTENSION] = service
    journal = coverage = None
    if settings.control:
        journal, coverage = Journal(), Coverage()
        app.extensions[JOURNAL] = journal
    # Each of these wraps the one before it.
    make_admin = partial(_admin_app, service, api, journal, coverage)
    app.wsgi_app = ByPath(app.wsgi_app, make_admin, is_api_path)  # type: ignore[method-assign] # Flask's own way
    if journal and coverage:
        app.wsgi_app = CoverageLayer(app.wsgi_app, coverage)  # type: ignore[method-assign] # Flask's own way
        app.wsgi_app = JournalLayer(app.wsgi_app, journal)  # type: ignore[method-assign] # Flask's own way
    log = RequestLog(app.wsgi_app, service.redactor)
    app.wsgi_app = ContextLayer(log, service)  # type: ignore[method-assign] # Flask's own way
    most_bytes = settings.cache_mb * 2**20
    if most_bytes:
        app.wsgi_app = ResponseCache(app.wsgi_app, service, log, journal, most_bytes)  # type: ignore[method-assign] # Flask's own way
    return app


class _CaseSensitive(Flask):
    """Routes by methods as they are written (RFC 9110, 9.1); Werkzeug takes `get` for GET."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the adapter of a request; it finds no route for a method in small letters."""
        adapter = super().create_url_adapter(request)
        if adapter is not None and request is not None:
            method = request.environ["REQUEST_METHOD"]
            if method != method.upper():
                request.method = method
                adapter.default_method = f"({method})"  # no method, in whatever case
        return adapter


def bare_app(service: Service) -> Flask:
    """Return an application without routes, which returns the error body for every failure."""
    app = _CaseSensitive("deadringer.mockserver", static_folder=None)
    # Werkzeug would redirect `//` in HTML; here it is a path like any other.
    app.url_map.merge_slashes = False
    add_error_handlers(app, service.redactor)
    app.before_request(lambda: context_of_request().require_session())
    return app


def share_with_browsers(app: Flask, mode: str, *exposed: str, local_only: bool = False) -> None:
    """Allow pages of other origins to read responses; the control API has its own rules.

    They can read `exposed` headers too.

    `mode` is a value of `--cors`. Browsers refuse `*` for requests with credentials, so `reflect`
    names the origin. That is safe here: the API takes its key from a header that a page has to
    set, never from a cookie. Where that is not certain, `local_only` names those of this machine.
    """
    if mode == "off":
        return
    is_reflected = mode == "reflect"
    for paths, names_origin in (
        (_API_PATHS, is_reflected),
        (_OTHER_PATHS, is_reflected and local_only),
    ):
        CORS(
            app,
            resources=paths,
            origins=_LOCAL_ORIGINS if names_origin and local_only else "*",
            send_wildcard=not names_origin,
            supports_credentials=names_origin,
            vary_header=True,
            allow_private_network=True,
            always_send=False,  # other clients than browsers get a shorter response
            expose_headers=(*EXPOSED_HEADERS, *exposed),
            max_age=600,
        )


def _admin_app(
    service: Service, api: InProcessApi, journal: Journal | None, coverage: Coverage | None
) -> Flask:
    """Return the application of all other paths: front page, specification, pages, control API."""
    from .admin.control.routes import add_control, add_health
    from .admin.ui import add_pages

    app = bare_app(service)
    app.after_request(compressing(app))
    app.after_request(bare_options)
    if journal is not None and coverage is not None:
        add_control(app, service, journal, coverage)  # its access check also protects the pages
    else:
        add_health(app, service)
    add_pages(app, service, api, journal, coverage)
    share_with_browsers(app, service.settings.cors)
    return app


class ByPath:
    """Routes requests of some paths to one application and all others to another.

    The other one is built on its first request, so that a start does not wait for it.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        make_other: "Callable[[], WSGIApplication]",
        is_own: Callable[[str], bool],
    ) -> None:
        self._application = application
        self._make_other = make_other
        self._is_own = is_own
        self._other: WSGIApplication | None = None
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request."""
        is_own = self._is_own(environ[CONTEXT].path)
        application = self._application if is_own else self._made()
        return application(environ, start_response)

    def _made(self) -> "WSGIApplication":
        with self._lock:
            if self._other is None:
                self._other = self._make_other()
            return self._other
