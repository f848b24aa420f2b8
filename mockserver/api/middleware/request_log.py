"""The request log: method, path, status and time of each request."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from deadringer.contracts.redaction import SecretRedactor
from deadringer.mockserver.context import CONTEXT
from deadringer.mockserver.logging import REQUESTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ERRORS = "4"


class RequestLog:
    """WSGI middleware that logs method, path, status and time of each request."""

    def __init__(self, application: "WSGIApplication", redactor: SecretRedactor) -> None:
        self._application = application
        self._redactor = redactor

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle the request, then log it."""
        began = time.perf_counter()
        status = "500"

        def start(code: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = code
            return start_response(code, headers, exc_info)

        try:
            return self._application(environ, start)
        finally:
            if self.is_on and (not environ[CONTEXT].is_quiet or status >= _ERRORS):
                self.add(environ, status, began)

    @property
    def is_on(self) -> bool:
        """Whether requests are logged."""
        return REQUESTS.isEnabledFor(logging.INFO)

    def add(self, environ: "WSGIEnvironment", status: str, began: float) -> None:
        """Log one completed request; `began` is in seconds of the performance counter."""
        spent_ms = (time.perf_counter() - began) * 1000
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
        fields = {
            "method": environ["REQUEST_METHOD"],
            "path": self._redactor.target(path, environ.get("QUERY_STRING", "")),
            "status": int(status[:3]),
            "ms": round(spent_ms, 1),
        }
        REQUESTS.info(
            "%(method)s %(path)s %(status)d %(ms).1f ms", fields, extra={"fields": fields}
        )
