"""The server behind the proxy: how requests get there, and why some do not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from deadringer.contracts import Failure
from deadringer.contracts.check import (
    Access,
    failure_of,
    httpcore_proxy,
    httpx_errors,
    proxy_for,
    ssl_context_of,
)

CONNECT_S = 10.0
MOST_IDLE_CONNECTIONS = 64
IDLE_S = 15.0
"""How long an idle connection is used again: shorter than servers usually wait."""
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_HAS_BODY = frozenset({"POST", "PUT", "PATCH"})
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
Headers = list[tuple[str, str]]


class UpstreamError(Exception):
    """The upstream sent no response, or not all of it; `failure` and `cause` are for people."""

    def __init__(self, failure: Failure, cause: str) -> None:
        super().__init__(f"{failure}: {cause}" if cause else str(failure))
        self.failure = failure
        self.cause = cause


@contextmanager
def _upstream_errors() -> Iterator[None]:
    try:
        with httpx_errors():
            yield
    except (httpx.HTTPError, ValueError) as error:
        raise UpstreamError(*failure_of(error)) from error


def _unsendable(response: httpcore.Response) -> str:
    """Return why a response cannot be passed on, "" if it can."""
    if not 200 <= response.status <= 599:
        return f"status {response.status}"
    names = [name for name, value in response.headers if _CONTROLS.search(value)]
    return f"a control character in the header {names[0].decode('latin-1')}" if names else ""


class UpstreamResponse:
    """A response whose head has arrived; the body is read as it was sent, and only once."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response
        self.status = response.status
        self.reason: str = response.extensions.get("reason_phrase", b"").decode("latin-1")
        self.headers: Headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers
        ]

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, in its content coding.

        Raises:
            UpstreamError: if it ends too early.
        """
        try:
            with _upstream_errors():
                yield from self._response.iter_stream()
        finally:
            self.close()

    def close(self) -> None:
        """Release the connection; it is used again if the whole body was read and nothing follows.

        What follows would become the response to the next request, of another client perhaps.
        """
        # httpcore has no public name for it; a test fails if these change.
        connection: Any = getattr(getattr(self._response.stream, "_stream", None), "_connection", 0)
        state: Any = getattr(connection, "_h11_state", None)
        if state is not None and state.trailing_data[0]:
            state.send_failed()  # so that httpcore closes the connection
        self._response.close()


class Upstream:
    """Sends requests to the server at `base_url` (an origin with an optional prefix).

    Follows no redirect, stores no cookie, and decodes nothing. Safe for threads. `timeout_s` is the
    longest wait for the next bytes of a response.

    Raises:
        AccessError: if certificates or a proxy of the environment cannot be used.
    """

    def __init__(self, base_url: str, access: Access | None = None, timeout_s: float = 60) -> None:
        self.access = access or Access()
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        self.prefix = parts.path
        self.authority = parts.netloc
        self.origin = f"{parts.scheme}://{parts.netloc}".lower()
        self._place = parts.scheme.encode(), (parts.hostname or "").encode(), parts.port
        connect_s = min(CONNECT_S, timeout_s)
        self._timeouts = {"connect": connect_s, "read": timeout_s, "write": timeout_s}
        proxy = proxy_for(self.base_url, self.access)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context_of(self.access),
            proxy=httpcore_proxy(proxy) if proxy else None,
            max_connections=None,
            max_keepalive_connections=MOST_IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_S,
        )

    def open(
        self, method: str, target: str, headers: Headers, body: bytes = b""
    ) -> UpstreamResponse:
        """Send a request and return its response once the head has arrived.

        `target` is path and query below the prefix, as sent. Without a `host` header, that of the
        upstream is sent. A request that changes nothing is sent again if the connection was closed
        before its response began: the server may have closed it as idle.

        Raises:
            UpstreamError: if no response begins.
        """
        try:
            return self._sent(method, target, headers, body)
        except UpstreamError as error:
            if error.failure is not Failure.DROPPED or body or method not in _REPEATABLE:
                raise
            return self._sent(method, target, headers, body)

    def _sent(self, method: str, target: str, headers: Headers, body: bytes) -> UpstreamResponse:
        scheme, host, port = self._place
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if not any(name == "host" for name, _ in headers):
            sent.insert(0, (b"host", self.authority.encode("latin-1")))
        if body or method in _HAS_BODY:
            sent.append((b"content-length", b"%d" % len(body)))
        with _upstream_errors():
            request = httpcore.Request(
                method.encode("ascii"),
                httpcore.URL(
                    scheme=scheme,
                    host=host,
                    port=port,
                    target=(self.prefix + target).encode("latin-1"),
                ),
                headers=sent,
                content=body or None,
                extensions={"timeout": self._timeouts},
            )
            response = self._pool.handle_request(request)
        problem = _unsendable(response)
        if problem:
            response.close()
            raise UpstreamError(Failure.MALFORMED, problem)
        return UpstreamResponse(response)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
