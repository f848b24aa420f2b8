"""Requests that the server refuses itself: with which status, why, and what to send instead."""

from http import HTTPStatus
from typing import NamedTuple


class Refusal(NamedTuple):
    """A response of the server itself; the texts are templates (see `of`)."""

    status: HTTPStatus
    message: str
    fix: str

    def of(self, **values: object) -> "Refusal":
        """Return the refusal with the values that its texts name."""
        return Refusal(self.status, self.message.format(**values), self.fix.format(**values))


class RefusedError(Exception):
    """Ends the reading of a request that is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


UNREADABLE = Refusal(
    HTTPStatus.BAD_REQUEST,
    "This is no HTTP/1.1 request: {reason}",
    "Send a request line and headers as RFC 9112 has them; percent-encode what is not ASCII",
)
NOT_ONE_HOST = Refusal(
    HTTPStatus.BAD_REQUEST,
    "An HTTP/1.1 request has exactly one Host header",
    "Send one, with the name and port of the URL",
)
BODY_CUT_OFF = Refusal(
    HTTPStatus.BAD_REQUEST,
    "The body ended before {end}",
    "Send as many bytes as Content-Length announces, or a last chunk of no bytes",
)
NOT_GZIP = Refusal(
    HTTPStatus.BAD_REQUEST,
    "The body is not gzip, although Content-Encoding is",
    "Compress all of it with gzip, or leave the header out",
)
TOO_MANY_MEMBERS = Refusal(
    HTTPStatus.BAD_REQUEST,
    "The gzip body has too many members",
    "Compress all of it at once",
)
HEAD_TIMEOUT = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "The head of the request took {limits.head_s:g} seconds",
    "End the headers with an empty line",
)
BODY_TIMEOUT = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "Timed out reading the request body (idle for {limits.body_idle_s:g} s or more than "
    "{limits.body_s:g} s in total)",
    "Send the whole body that Content-Length announces",
)
BODY_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "Send at most {limits.body_bytes:,} bytes",
)
UNSUPPORTED_ENCODING = Refusal(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "Content-Encoding {coding!r} is not supported",
    "Send the body as it is, or compressed with gzip",
)
HEAD_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The head of the request is too large, or what frames its body",
    "Send at most {limits.headers} headers and {limits.head_bytes:,} bytes of address and headers",
)
OTHER_CODING = Refusal(
    HTTPStatus.NOT_IMPLEMENTED,
    "Transfer-Encoding may be chunked and nothing else",
    "Send the body as it is, in chunks or with its Content-Length",
)
TOO_MANY_BODIES = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Other bodies take {limits.held_bytes:,} bytes",
    "Try again in a few seconds",
)
TOO_MANY_CONNECTIONS = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Too many connections are open",
    "Close some, or try again in a few seconds",
)
UNSUPPORTED_VERSION = Refusal(
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    "This version of HTTP is not supported",
    "Send HTTP/1.1",
)


def unreadable(problem: object) -> Refusal:
    """Return the refusal of what is no HTTP/1.1, for the reason that a parser reports."""
    return UNREADABLE.of(reason=str(problem).strip() or "no request line")
