"""The log: one line a request, for people or as JSON, secrets hidden."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from deadringer.contracts import format_timestamp
from deadringer.contracts.redaction import SecretRedactor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUESTS = logging.getLogger("deadringer.requests")
QUIET = "deadringer.quiet"
"""Set in the environ of what pages ask for by themselves every second or two: no line for it."""
_ERRORS = "4"


class RequestLog:
    """Wraps a WSGI application and logs method, path, status and time of each request."""

    def __init__(self, application: "WSGIApplication", redactor: SecretRedactor) -> None:
        self._application = application
        self._redactor = redactor

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request, then log it."""
        began = time.perf_counter()
        status = "500"

        def start(code: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = code
            return start_response(code, headers, exc_info)

        try:
            return self._application(environ, start)
        finally:
            if self.is_on and (QUIET not in environ or status >= _ERRORS):
                self.tell(environ, status, began)

    @property
    def is_on(self) -> bool:
        """Whether anybody wants to know of requests."""
        return REQUESTS.isEnabledFor(logging.INFO)

    def tell(self, environ: "WSGIEnvironment", status: str, began: float) -> None:
        """Log one answered request; `began` is in seconds of the performance counter."""
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


class _TextFormatter(logging.Formatter):
    """`10:15:00 GET /v1/… 200 1.3 ms`; events say their level if it is not INFO."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (named by logging)
        """Put the line together."""
        if record.levelno > logging.INFO:
            record.message = f"{record.levelname.lower()}: {record.message}"
        return super().formatMessage(record)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, then the request's fields or `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        line: dict[str, Any] = {
            "time": format_timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
        }
        fields = getattr(record, "fields", None)
        line.update(fields or {"message": record.getMessage()})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(log_format: str, stream: TextIO | None = None) -> None:
    """Send our log to the stream (standard error by default), in `text` or `json`.

    `off` leaves out the requests; what goes wrong is told all the same.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    logger = logging.getLogger("deadringer")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    REQUESTS.setLevel(logging.WARNING if log_format == "off" else logging.NOTSET)
