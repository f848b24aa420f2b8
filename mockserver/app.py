"""Builds the Flask application out of its parts."""

from flask import Flask
from flask_cors import CORS

from .broken_promises import BrokenPromises
from .clock import Clock, SystemClock
from .control import add_control
from .errors import add_error_handlers
from .executions import ExecutionSource
from .journal import Journal, Journaling
from .kept_answers import KeptAnswers
from .loading import load_executions
from .logs import RequestLog
from .pages import add_pages
from .routes import add_api
from .service import Service
from .settings import Settings

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


def build_app(
    settings: Settings, *, clock: Clock | None = None, executions: ExecutionSource | None = None
) -> Flask:
    """Give the application; its `Service` is `app.extensions["deadringer"]`.

    Raises:
        StartError: if a document is bad.
    """
    service = Service(
        settings,
        load_executions(settings.fixtures) if executions is None else executions,
        clock or SystemClock(),
    )
    app = Flask("mockserver", static_folder=None)
    app.extensions[EXTENSION] = service
    # Werkzeug would answer `//` with an HTML redirect; here it is a path like any other.
    app.url_map.merge_slashes = False
    add_error_handlers(app, service.redactor)
    add_api(app, service)
    journal = None
    if settings.control:
        journal = Journal(numbers=service.journal_numbers, peers=service.peers)
        app.extensions[JOURNAL] = journal
        add_control(app, service, journal)
    add_pages(app, service, journal)
    CORS(
        app,
        resources=r"/(?!__mock/).*",
        send_wildcard=True,
        always_send=False,  # programs that are no browser read the shorter answer
        expose_headers=EXPOSED_HEADERS,
        max_age=600,
    )
    # Each of these wraps the one before it.
    app.wsgi_app = BrokenPromises(app.wsgi_app, service)  # type: ignore[method-assign] # Flask's own way
    if journal:
        app.wsgi_app = Journaling(app.wsgi_app, service, journal)  # type: ignore[method-assign] # Flask's own way
    log = RequestLog(app.wsgi_app, service.redactor)
    app.wsgi_app = log  # type: ignore[method-assign] # Flask's own way
    most_bytes = settings.cache_mb * 2**20 // (settings.workers or 1)
    if most_bytes:
        app.wsgi_app = KeptAnswers(log, service, log, journal, most_bytes)  # type: ignore[method-assign] # Flask's own way
    return app
