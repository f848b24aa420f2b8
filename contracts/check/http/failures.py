"""Which failure an exception of the HTTP client is, and what caused it, in words."""

import socket
import ssl
from collections.abc import Iterator

import httpx

from deadringer.contracts.exchanges import Failure
from deadringer.contracts.violations import printable

_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"}


def failure_of(error: Exception) -> tuple[Failure, str]:
    """Return the failure and its cause, both for people."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLError):
            return _tls_failure(one)
        if isinstance(one, socket.gaierror):
            return Failure.UNKNOWN_HOST, _cause(one)
    for kind, failure, cause in _KINDS:
        if isinstance(error, kind):
            return failure, cause or _cause(error)
    return _protocol_failure(str(error))


_KINDS: tuple[tuple[type[Exception], Failure, str], ...] = (
    (httpx.ProxyError, Failure.PROXY, ""),
    (httpx.ConnectTimeout, Failure.TIMED_OUT, "no connection was made"),
    (httpx.TimeoutException, Failure.TIMED_OUT, "the connection was made"),
    (httpx.ConnectError, Failure.REFUSED, ""),
    (httpx.NetworkError, Failure.DROPPED, ""),
)


def _tls_failure(error: ssl.SSLError) -> tuple[Failure, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure.UNTRUSTED, error.verify_message or str(error)
    if error.reason in _NO_TLS:
        return Failure.NO_TLS, "it does not speak TLS on this port"
    return Failure.NO_TLS, f"the TLS handshake failed: {error.reason or error}"


def _protocol_failure(text: str) -> tuple[Failure, str]:
    if r"\x15\x03" in text:
        return Failure.MALFORMED, "it speaks TLS on this port"
    words = text.lower()
    is_dropped = "disconnected" in words or "closed" in words or "incomplete" in words
    return Failure.DROPPED if is_dropped else Failure.MALFORMED, printable(text)[:160]


def _cause(error: BaseException) -> str:
    for one in _chain(error):
        if isinstance(one, OSError) and one.strerror:
            return one.strerror[0].lower() + one.strerror[1:]
    return printable(str(error))[:160]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those behind it."""
    one: BaseException | None = error
    for _ in range(20):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__
