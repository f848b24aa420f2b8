"""Send requests to the API in-process, for pages and contract faults."""

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from werkzeug.datastructures import Headers

from deadringer.mockserver.context import CONTEXT, RequestContext
from deadringer.mockserver.state.rate_limits import RateWindow
from deadringer.mockserver.world.service import Service, Snapshot

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class InProcessResponse(NamedTuple):
    """A response of the API."""

    status: int
    headers: Headers
    body: bytes
    changed_by: tuple[str, ...]
    """The contract faults that changed the response."""


class InProcessApi:
    """Sends GET requests with a valid key straight to the application of the API.

    They are neither counted nor journaled, are not delayed, get no transport fault and change no
    state.
    """

    def __init__(self, application: "WSGIApplication", service: Service) -> None:
        self._application = application
        self._service = service

    def get(self, path: str, query: str, session: str) -> InProcessResponse:
        """Return the response in a session, without contract faults.

        `path` is decoded, `query` percent-encoded.
        """
        return self._get(path, query, self._service.snapshot(session), ())

    def get_as_client(self, path: str, query: str, snapshot: Snapshot) -> InProcessResponse:
        """Return what a client gets at the time of a snapshot, with contract faults."""
        faults = self._service.contract_faults(snapshot.session, snapshot.now)
        return self._get(path, query, snapshot, faults)

    def _get(
        self, path: str, query: str, snapshot: Snapshot, contract_faults: tuple[str, ...]
    ) -> InProcessResponse:
        context = RequestContext(
            method="GET",
            path=path,
            key=self._service.settings.api_keys[0],
            session_name=snapshot.session.name,
            session_header=None,
            snapshot=snapshot,
            prefer={},
            contract_faults=contract_faults,
            is_internal=True,
            window=self._untouched_window(),
        )
        started: list[Any] = []

        def start(status: str, headers: Any, _failure: Any = None, /) -> Callable[[bytes], object]:
            started[:] = [int(status[:3]), Headers(headers)]
            return lambda _piece: None

        body = b"".join(self._application(_environ(context, query), start))
        return InProcessResponse(started[0], started[1], body, context.changed_by)

    def _untouched_window(self) -> RateWindow | None:
        """Return the window of a caller without requests, None if limits are not reported."""
        settings = self._service.settings
        if settings.rate_limit == "off":
            return None
        limit, window_s = settings.rate_policy
        return RateWindow(limit, limit, window_s, is_refused=False)


def _environ(context: RequestContext, query: str) -> "WSGIEnvironment":
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": context.path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": quote(query, safe="%=&+/:@,;~*()'!$?"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        CONTEXT: context,
    }
