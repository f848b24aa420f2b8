"""What cannot be read is told to its sender, in the documented form, and the connection ends."""

from http import HTTPStatus
from typing import NamedTuple

MOST_BODY_BYTES = 64 * 2**20
MOST_HEAD_BYTES = 64 * 2**10
MOST_HELD_BYTES = 256 * 2**20
"""What all bodies may take together, of requests that arrive or are being answered."""
PATIENCE_S = 5.0
"""How long a body may stand still."""
LONGEST_S = 60.0
"""How long all of a body may take."""
UNREAD_S = 60.0
"""How long an answer may stand still that is not taken."""
HEAD_PATIENCE_S = 30.0
"""How long a head may take."""


class Refusal(NamedTuple):
    """Why a request is not passed on, and how to send it so that it is."""

    status: HTTPStatus
    message: str
    fix: str

    def body(self) -> bytes:
        """Give the body that says so."""
        # They bring Flask, which few connections need.
        from deadringer.contracts import json_bytes
        from deadringer.mockserver.errors import ApiError, kind_of_status

        kind = kind_of_status(self.status) if self.status >= 500 else None
        code = kind.code if kind else "BAD_REQUEST"
        return json_bytes(ApiError(code, self.message, self.fix).body, compact=False)


TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    f"Send at most {MOST_BODY_BYTES:,} bytes",
)
HEAD_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The head of the request is too large",
    f"Send at most {MOST_HEAD_BYTES:,} bytes of address and headers",
)
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
BODY_LATE = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    f"The body stood still for {PATIENCE_S:g} seconds, or took {LONGEST_S:g}",
    "Send the whole body that Content-Length promises",
)
HEAD_LATE = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    f"The head of the request took {HEAD_PATIENCE_S:g} seconds",
    "End the headers with an empty line",
)
TOO_MUCH_AT_ONCE = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    f"Other bodies take {MOST_HELD_BYTES:,} bytes",
    "Try again in a few seconds",
)


def cut_off(received: int, promised: int | None) -> Refusal:
    """Give the refusal of a body that ended too early; one in chunks promises no length."""
    if promised is None:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"The body ended after {received} bytes, before its last chunk",
            "End it with a chunk of no bytes",
        )
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"The body ended after {received} of {promised} bytes",
        "Send as many bytes as Content-Length says",
    )


def unreadable(problem: object) -> Refusal:
    """Give the refusal of what is no HTTP/1.1."""
    reason = str(problem).strip() or "no request line"
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"This is no HTTP/1.1 request: {reason}",
        "Send a request line and headers as RFC 9112 has them; percent-encode what is not ASCII",
    )
