"""The log: one line per request, as text or JSON, with secrets redacted."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from deadringer.contracts import format_timestamp

REQUESTS = logging.getLogger("deadringer.requests")


class _TextFormatter(logging.Formatter):
    """Formats `10:15:00 GET /v1/… 200 1.3 ms`, with the level if it is above INFO."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (named by logging)
        """Return the line."""
        if record.levelno > logging.INFO:
            record.message = f"{record.levelname.lower()}: {record.message}"
        return super().formatMessage(record)


class _JsonFormatter(logging.Formatter):
    """Formats one JSON object per line: `time`, `level`, then the request's fields or `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
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
    """Send the log to a stream (standard error by default), in `text` or `json`.

    `off` omits the lines of requests; warnings and errors are still logged.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    logger = logging.getLogger("deadringer")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    REQUESTS.setLevel(logging.WARNING if log_format == "off" else logging.NOTSET)
