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


WORDS = {
    Failure.REFUSED: (
        "{place} is unreachable",
        "Start the server, or correct {of_url}{without_tls}{wait}.{proxy}",
    ),
    Failure.UNTRUSTED: (
        "the certificate of {place} is not trusted",
        "Name its authority with --ca-file FILE or SSL_CERT_FILE, or use --insecure.",
    ),
    Failure.NO_TLS: (
        "no TLS connection to {place}",
        "Correct {of_url}: http:// without TLS, or another port.",
    ),
    Failure.UNKNOWN_HOST: (
        "the host name of {place} cannot be resolved",
        "Correct {of_url}, or look at the DNS of this machine.{proxy}",
    ),
    Failure.PROXY: (
        "the proxy refuses the connection to {place}",
        "Correct HTTP_PROXY, HTTPS_PROXY or NO_PROXY, or use --no-proxy.",
    ),
    Failure.TIMED_OUT: (
        "{place} sends no response within the time",
        "Look whether a firewall is between{longer}.{proxy}",
    ),
    Failure.DROPPED: (
        "{place} closes every connection without a response",
        "Correct the port or the scheme of {of_url}: https:// where the server uses TLS.",
    ),
    Failure.MALFORMED: (
        "{place} does not speak HTTP",
        "Correct the port or the scheme of {of_url}: https:// where the server uses TLS.",
    ),
}
"""What is wrong, and what to do."""


def failure_in_words(
    failure: Failure,
    cause: str,
    place: str,
    *,
    of_url: str,
    has_proxy: bool,
    is_https: bool,
    wait: str = "",
    longer: str = "",
) -> str:
    """Return what is wrong with the way to a server, why, and what to do; for one of WORDS.

    `of_url` is what people call the server's address. `wait` and `longer` name options of the
    command that wait for the server, or longer for its response.
    """
    what, fix = WORDS[failure]
    fix = fix.format(
        of_url=of_url,
        without_tls=" (http:// without TLS)" if is_https else "",
        proxy=" Or use --no-proxy." if has_proxy else "",
        wait=wait,
        longer=longer,
    )
    return f"{what.format(place=place)}{f': {cause}' if cause else ''}. {fix}"
