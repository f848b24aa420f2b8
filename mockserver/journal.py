"""The journal: the last requests of the API with their answers, in memory and bounded."""

import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from contracts import JsonObject, format_timestamp

from .redaction import Redactor
from .service import Service, split_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENTRIES_KEPT = 1000
BYTES_KEPT = 16_384
"""How much of a body an entry keeps."""


class Journal:
    """Entries, newest last; the oldest goes when there are too many."""

    def __init__(self, limit: int = ENTRIES_KEPT) -> None:
        self._entries: deque[JsonObject] = deque(maxlen=limit)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, entry: JsonObject) -> None:
        """Keep an entry and number it."""
        with self._lock:
            self._number += 1
            self._entries.append({"number": self._number, **entry})

    def entries(self, session: str) -> list[JsonObject]:
        """Give the entries of a session, newest first."""
        with self._lock:
            return [one for one in reversed(self._entries) if one["session"] == session]

    def clear(self, session: str) -> None:
        """Forget the entries of a session."""
        with self._lock:
            kept = [one for one in self._entries if one["session"] != session]
            self._entries.clear()
            self._entries.extend(kept)


class Journaling:
    """Wraps the application and journals what goes through it below `/v1`."""

    def __init__(self, application: "WSGIApplication", service: Service, journal: Journal) -> None:
        self._application = application
        self._service = service
        self._journal = journal

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if not environ.get("PATH_INFO", "").startswith("/v1"):
            return self._application(environ, start_response)
        began = time.perf_counter()
        entry = _asked(environ, self._service)
        told: list[Any] = ["500", []]

        def start(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return start_response(status, headers, exc_info)

        answer = self._application(environ, start)
        return self._passing(answer, entry, told, began)

    def _passing(
        self, answer: Iterable[bytes], entry: JsonObject, told: list[Any], began: float
    ) -> Iterator[bytes]:
        kept = bytearray()
        length = 0
        try:
            for chunk in answer:
                kept += chunk[: BYTES_KEPT - len(kept)]
                length += len(chunk)
                yield chunk
        finally:
            close = getattr(answer, "close", None)
            if close:
                close()
            entry["status"] = int(told[0][:3])
            entry["ms"] = round((time.perf_counter() - began) * 1000, 2)
            entry["answer"] = {
                "headers": dict(told[1]),
                "body": kept.decode("utf-8", "replace"),
                "truncated": length > len(kept),
            }
            entry["preferences"] = _applied(entry["answer"]["headers"])
            entry["request_breaches"] = _breaches(entry["status"], kept)
            self._journal.add(entry)


def _asked(environ: "WSGIEnvironment", service: Service) -> JsonObject:
    """Give the request's half of an entry; keys are hidden, the body can still be read."""
    redactor: Redactor = service.redactor
    body = b""
    if environ.get("CONTENT_LENGTH") not in (None, "", "0"):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
    headers = {
        name[5:].replace("_", "-").lower(): redactor(str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    key = environ.get("HTTP_X_API_KEY", "")
    path = environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
    session = environ.get("HTTP_X_MOCK_SESSION", "") or split_key(key)[1]
    return {
        "time": format_timestamp(service.scene(session).now),
        "session": session,
        "method": environ["REQUEST_METHOD"],
        "path": redactor(path),
        "target": redactor.target(path, environ.get("QUERY_STRING", "")),
        "request": {
            "headers": headers,
            "body": redactor(body[:BYTES_KEPT].decode("utf-8", "replace")),
        },
    }


def _applied(headers: JsonObject) -> list[str]:
    named = {name.lower(): value for name, value in headers.items()}
    written = named.get("preference-applied")
    return written.split(", ") if written else []


def _breaches(status: int, body: bytearray) -> list[str]:
    """Give what the client did wrong, as the answer told it."""
    if not 400 <= status < 500:
        return []
    try:
        error = json.loads(body)["error"]
        return list((error["details"] or {}).get("errors") or [error["message"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return [f"answered with {status}"]
