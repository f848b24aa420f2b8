"""An httpx transport with a deadline for each whole request."""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class _DeadlineStream(httpcore.NetworkStream):
    """A connection with one deadline for all reads and writes of a request.

    With a timeout per read only, a server could send one byte at a time for ever.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: "Deadline") -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s())
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Deadline:
    """The deadline of the current request, shared by all connections of one client."""

    def __init__(self) -> None:
        self._ends_at_s = float("inf")

    def start(self, timeout_s: float) -> None:
        """Start a request that may take this many seconds, from first to last byte."""
        self._ends_at_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Return the seconds left.

        Raises:
            httpcore.ReadTimeout: if none are.
        """
        left_s = self._ends_at_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the request took too long")
        return left_s


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._backend = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(
            host, port, self._deadline.left_s(), local_address, socket_options
        )
        return _DeadlineStream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def httpx_errors() -> Iterator[None]:
    """Convert httpcore's exceptions to httpx's, so that callers handle one hierarchy only."""
    try:
        yield
    except httpcore.ConnectTimeout as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except httpcore.ProxyError as error:
        raise httpx.ProxyError(str(error)) from error
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from error
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error)) from error
    except httpcore.NetworkError as error:
        raise httpx.ReadError(str(error)) from error
    except httpcore.ProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with httpx_errors():
            yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class DeadlineTransport(httpx.BaseTransport):
    """An httpx transport over httpcore's pool, with `deadline` for each whole request."""

    def __init__(
        self, ssl_context: ssl.SSLContext | None = None, proxy: httpcore.Proxy | None = None
    ) -> None:
        self.deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(),
            proxy=proxy,
            max_connections=4,
            network_backend=_DeadlineBackend(self.deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the response is read later, as a stream."""
        url = request.url
        # A proxy gets the whole URL instead of `target`.
        extensions = {name: one for name, one in request.extensions.items() if name != "target"}
        with httpx_errors():
            response = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=url.raw_scheme,
                        host=url.raw_host,
                        port=url.port,
                        target=request.extensions.get("target", url.raw_path),
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=extensions,
                )
            )
        stream = response.stream
        if not isinstance(stream, Iterable):
            raise TypeError("the connection pool must return a synchronous stream")
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
