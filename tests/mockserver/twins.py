"""Two applications that get the same requests: one with the response cache, one without."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask

from deadringer.mockserver.api.middleware.cache import ResponseCache
from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.state.clock import Clock

API = "/v1"
OF_THE_TESTS = {
    *("werkzeug.socket", "REMOTE_PORT", "REQUEST_URI", "RAW_URI"),
    "HTTP_X_SCHEMATHESIS_TESTCASEID",
}
"""Entries of the environ that only these tests add."""


class HeldClock:
    """A clock that is frozen while both applications respond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moment: datetime | None = None

    def now(self) -> datetime:
        return self._moment or self._clock.now()

    def hold(self) -> None:
        self._moment = self._clock.now()


class Twins:
    """A WSGI application that returns the responses of `app`, and compares them with a twin's.

    Each request goes to both, in the same order, so both have the same history. Only responses of
    the API are compared (status, headers in order, body): those of the control API contain random
    names.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        service = app.extensions[EXTENSION]
        self.differences: list[Any] = []
        self.repeated = 0
        self._clock = service.clock = HeldClock(service.clock)
        if isinstance(app.wsgi_app, ResponseCache):
            self._count_repeated(app.wsgi_app)
        settings = replace(service.settings, state=None, cache_mb=0)
        self.twin = twin = build_app(settings, clock=self._clock, executions=service.executions)
        twin.extensions[EXTENSION]._start = service._start
        self._apps: tuple[Any, Any] = (app.wsgi_app, twin.wsgi_app)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the files of both, which would stay open until garbage collection."""
        for app in (self._app, self.twin):
            app.extensions[EXTENSION].close()

    def _count_repeated(self, response_cache: Any) -> None:
        """The number of cached responses; without any, a comparison proves nothing."""
        repeated = response_cache.repeated
        response_cache._clock = self._clock

        def counting(environ: dict[str, Any]) -> Any:
            reply = repeated(environ)
            self.repeated += reply is not None
            return reply

        response_cache.repeated = counting

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> list[bytes]:
        environ = {name: environ[name] for name in environ.keys() - OF_THE_TESTS}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._lock:
            self._clock.hold()
            one, other = (self._send(app, environ, body) for app in self._apps)
        if environ["PATH_INFO"].startswith(API) and one != other:
            self.differences.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], one, other))
        start_response(one[0], one[1])
        return [one[2]]

    def _send(self, app: Any, environ: dict[str, Any], body: bytes) -> tuple[Any, ...]:
        message: list[Any] = []
        requested = {**environ, "wsgi.input": io.BytesIO(body)}
        chunks = app(requested, lambda status, headers, *_rest: message.extend((status, headers)))
        return (*message, b"".join(chunks))
