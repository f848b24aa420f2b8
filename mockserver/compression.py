"""Compresses answers for those who ask for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from flask_compress import Compress

ENCODINGS = ("zstd", "gzip")
"""The best first."""
SMALLEST = 860
"""A body shorter than this fits into one packet anyway."""


def _without_time(response: Response) -> Response:
    """Give the answer without the time of day that gzip writes into its head (RFC 1952, MTIME).

    Equal answers have equal bytes, whenever and by whichever worker they are given.
    """
    if response.headers.get("Content-Encoding") == "gzip":
        body = response.get_data()
        response.set_data(body[:4] + bytes(4) + body[8:])
    return response


def compressing(app: Flask) -> Callable[[Response], Response]:
    """Give what compresses an answer by gzip or zstd, as `Accept-Encoding` asks.

    An answer with a fault in it stays plain: cut off JSON is to be seen as such.
    """
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_ALGORITHM=list(ENCODINGS),
        COMPRESS_ALGORITHM_STREAMING=[],
        COMPRESS_STREAMS=False,
        COMPRESS_MIN_SIZE=SMALLEST,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,
    )
    found: list[Compress] = []

    def compress(response: Response) -> Response:
        if g.get("faults"):
            return response
        if not any(request.accept_encodings.quality(name) for name in ENCODINGS):
            response.vary.add("Accept-Encoding")
            return response
        if not found:
            from flask_compress import Compress  # its codecs take longer to load than a request

            found.append(Compress(app))
        return _without_time(found[0].after_request(response))

    return compress
