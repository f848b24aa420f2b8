"""How much of everything the server takes, and what a client gets that goes beyond."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple


@dataclass(frozen=True)
class Limits:
    """Limits of a server; sizes are in bytes, times in seconds."""

    head_bytes: int = 64 * 2**10
    """Target and headers of a request; also what chunk extensions and trailers may take."""
    headers: int = 256
    body_bytes: int = 64 * 2**20
    """The body of a request, also after its Content-Encoding is undone."""
    held_bytes: int = 256 * 2**20
    """All bodies together that arrive or belong to requests in progress, also uncompressed."""
    connections: int = 10_000
    threads: int = 512
    """Requests that the application handles at the same time; the others wait."""
    head_s: float = 30
    body_idle_s: float = 5
    body_s: float = 60
    idle_s: float = 75
    """How long a connection stays open without a request."""
    unread_s: float = 60
    """How long a client may leave a response unread."""
    linger_s: float = 2
    """How long a refused client may go on sending: closed at once, it could lose the response."""
    stop_s: float = 7
    """How long requests in progress may take once the server stops."""


class Refusal(NamedTuple):
    """Why the server refuses a request, and how to send it so that it does not."""

    status: HTTPStatus
    message: str
    fix: str


class RefusedError(Exception):
    """Ends the reading of a request that is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


NOT_ONE_HOST = Refusal(
    HTTPStatus.BAD_REQUEST,
    "An HTTP/1.1 request has exactly one Host header",
    "Send one, with the name and port of the URL",
)
OTHER_CODING = Refusal(
    HTTPStatus.NOT_IMPLEMENTED,
    "Transfer-Encoding may be chunked and nothing else",
    "Send the body as it is, in chunks or with its Content-Length",
)
NOT_GZIP = Refusal(
    HTTPStatus.BAD_REQUEST,
    "The body is not what Content-Encoding: gzip says",
    "Compress all of it with gzip, or leave the header out",
)
TOO_MANY_MEMBERS = Refusal(
    HTTPStatus.BAD_REQUEST,
    "The gzip body has too many members",
    "Compress all of it at once",
)
TOO_MANY_CONNECTIONS = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Too many connections are open",
    "Close some, or try again in a few seconds",
)


def head_too_large(limits: Limits) -> Refusal:
    """Return the refusal of too much beside the body."""
    return Refusal(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The head of the request is too large, or what frames its body",
        f"Send at most {limits.headers} headers and {limits.head_bytes:,} bytes of address and "
        "headers",
    )


def body_too_large(limits: Limits) -> Refusal:
    """Return the refusal of a large body."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large",
        f"Send at most {limits.body_bytes:,} bytes",
    )


def too_much_at_once(limits: Limits) -> Refusal:
    """Return the refusal of a body for which there is no room beside the others."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"Other bodies take {limits.held_bytes:,} bytes",
        "Try again in a few seconds",
    )


def head_timeout(limits: Limits) -> Refusal:
    """Return the refusal of a head that does not end."""
    return Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        f"The head of the request took {limits.head_s:g} seconds",
        "End the headers with an empty line",
    )


def body_timeout(limits: Limits) -> Refusal:
    """Return the refusal of a body that does not end."""
    return Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        f"Timed out reading the request body (idle for {limits.body_idle_s:g} s or more than "
        f"{limits.body_s:g} s in total)",
        "Send the whole body that Content-Length announces",
    )


def body_cut_off(received: int, announced: str | None) -> Refusal:
    """Return the refusal of a body that ended too early; one in chunks announces no length."""
    if announced is None:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"The body ended after {received} bytes, before its last chunk",
            "End it with a chunk of no bytes",
        )
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"The body ended after {received} of {announced} bytes",
        "Send as many bytes as Content-Length says",
    )


UNSUPPORTED_VERSION = Refusal(
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    "This version of HTTP is not supported",
    "Send HTTP/1.1",
)


def unsupported_encoding(coding: str) -> Refusal:
    """Return the refusal of a compression other than gzip."""
    return Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"Content-Encoding {coding!r} is not supported",
        "Send the body as it is, or compressed with gzip",
    )


def unreadable(problem: object) -> Refusal:
    """Return the refusal of what is no HTTP/1.1."""
    reason = str(problem).strip() or "no request line"
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"This is no HTTP/1.1 request: {reason}",
        "Send a request line and headers as RFC 9112 has them; percent-encode what is not ASCII",
    )
