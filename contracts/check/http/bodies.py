"""Decode response bodies within a limit of memory."""

from collections.abc import Iterable, Iterator

import httpx

from deadringer.contracts.content_codings import STREAMED_CODINGS, ContentCodingError, Inflater

READABLE_CODINGS = STREAMED_CODINGS | {"", "identity"}
"""Content codings that can be undone while a body arrives, and none."""
MOST_CODINGS = 3
"""So many codings of one body are undone."""


class BodyTooLargeError(Exception):
    """The body, as sent or decoded, exceeds the limit."""


def read_body(response: httpx.Response, limit: int, body: bytearray) -> None:
    """Append the decoded body of a streamed response to `body`, at most `limit` bytes.

    What was decoded before an error stays in it. Holds no more in memory than the limit, whatever
    the compressed bytes expand to. A coding that was not requested is left as it is.

    Raises:
        BodyTooLargeError: if the body, as sent or decoded, is larger.
        httpx.DecodingError: if it is not in its content coding, or codings cannot be undone.
        httpx.HTTPError: if the transfer fails.
    """
    decoded = _decoded(
        response.iter_raw(), response.headers.get("content-encoding", ""), limit, len(body)
    )
    for piece in decoded:
        body += piece


def decoded_body(body: bytes, coding: str, limit: int) -> bytes:
    """Return a body without its content coding, at most `limit` bytes.

    Raises:
        BodyTooLargeError: if it is larger.
        httpx.DecodingError: if it is not in its coding, or that is none of READABLE_CODINGS.
    """
    if coding.strip().lower() not in READABLE_CODINGS:
        raise httpx.DecodingError(f"Content-Encoding {coding!r} is not supported")
    return b"".join(_decoded([body], coding, limit, 0))


def _decoded(chunks: Iterable[bytes], coding: str, limit: int, size: int) -> Iterator[bytes]:
    """Yield a body decoded; `size` bytes of its limit are used up."""
    inflaters, received = _inflaters(coding), 0
    for chunk in chunks:
        received += len(chunk)
        room, data = limit - size, chunk
        for inflater in inflaters:
            data = _inflated(inflater, data, limit + 1)
            if len(data) > limit:
                break
        size += len(data[:room])
        yield data[:room]
        if len(data) > room or received > limit:
            raise BodyTooLargeError


def _inflated(inflater: Inflater, data: bytes, most: int) -> bytes:
    try:
        return inflater.inflated(data, most)
    except ContentCodingError as error:
        raise httpx.DecodingError(str(error)) from error


def _inflaters(coding: str) -> list[Inflater]:
    """Return what undoes a Content-Encoding, the coding applied last first (RFC 9110, 8.4)."""
    named = (one.strip() for one in coding.lower().split(","))
    codings = [one for one in named if one not in {"", "identity"}]
    if len(codings) > MOST_CODINGS or (len(codings) > 1 and not {*codings} <= READABLE_CODINGS):
        raise httpx.DecodingError("Content-Encoding names codings that cannot be undone")
    return [Inflater(one) for one in reversed(codings) if one in STREAMED_CODINGS]
