"""The mock server: serves the operations of `openapi.yaml` over HTTP."""

from typing import TYPE_CHECKING

from .config import DEMO_KEY, Settings, SettingsError
from .exceptions import StartError
from .state.clock import Clock
from .state.rate_windows import RatePolicy

if TYPE_CHECKING:
    from flask import Flask

    from .world.documents import ExecutionSource

__all__ = [
    "DEMO_KEY",
    "Clock",
    "RatePolicy",
    "Settings",
    "SettingsError",
    "StartError",
    "create_app",
]


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    executions: "ExecutionSource | None" = None,
) -> "Flask":
    """Return the Flask application that serves the recordings and the documents of `settings`.

    Any WSGI server runs it, in one process: `gunicorn 'deadringer.mockserver:create_app()'`,
    `waitress-serve --call deadringer.mockserver:create_app`. Transport faults that end a connection
    are a 501 there; `deadringer serve` knows all of them.

    `clock` replaces the time of day; `executions` replaces what is loaded from files.

    Raises:
        StartError: if a document is invalid; the message lists every reason.
    """
    # Importing Flask takes 0.1 s, and `deadringer --help` imports this package too.
    from .app import build_app

    return build_app(settings or Settings(), clock=clock, executions=executions)
