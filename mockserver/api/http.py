"""Compression, validators and caching headers of responses (RFC 9110, 9111)."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from deadringer.contracts.content_codings import ContentCodingError, undo_coding
from deadringer.mockserver.context import context_of_request
from deadringer.mockserver.faults.transport import changes

if TYPE_CHECKING:
    from flask_compress import Compress


ENCODINGS = ("zstd", "gzip")
"""Content codings, best first."""
SMALLEST = 860
"""Shorter bodies, in bytes, are not compressed: they fit into one packet anyway."""


def _without_time(response: Response) -> Response:
    """Return the response with gzip's MTIME set to 0 (RFC 1952): equal bodies stay equal."""
    if response.headers.get("Content-Encoding") == "gzip":
        body = response.get_data()
        response.set_data(body[:4] + bytes(4) + body[8:])
    return response


def compressing(app: Flask) -> Callable[[Response], Response]:
    """Return a function that compresses responses by gzip or zstd, as `Accept-Encoding` allows.

    Responses that a transport fault changes are not compressed, so that truncated JSON shows.
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
        if _is_changed_by_transport():
            return response
        if not any(request.accept_encodings.quality(name) for name in ENCODINGS):
            response.vary.add("Accept-Encoding")
            return response
        if not found:
            from flask_compress import Compress  # loading the codecs takes longer than a request

            found.append(Compress(app))
        return _without_time(found[0].after_request(response))

    return compress


LARGEST_DECODED = 64 * 2**20
"""Bytes that a body is decoded to at most, whatever it expands to."""


def decoded_body(body: bytes, encoding: str) -> bytes:
    """Return a body without its Content-Encoding, as far as there is some of it.

    One that is damaged, or in another encoding than CODINGS, is returned as it is. At most
    LARGEST_DECODED bytes are returned.
    """
    try:
        return undo_coding(body, encoding, LARGEST_DECODED).content
    except ContentCodingError:
        return body


def mark_final(response: Response) -> None:
    """Set the ETag of a response with a terminal execution: a hash of its bytes."""
    response.set_etag(hashlib.blake2b(response.get_data(), digest_size=12).hexdigest())


def set_freshness(response: Response) -> Response:
    """Return the response with its Cache-Control, as a 304 if the client's copy is current.

    `no-cache` allows storing but requires revalidation, so that a put, a reset or another seed
    shows at once; responses without a validator are not stored. Faults also reach browsers with a
    cached copy: while a fault is in force there is no 304, and changed responses have no validator.
    """
    context = context_of_request()
    if _is_changed_by_transport():
        response.headers.pop("ETag", None)
    is_final = response.status_code == HTTPStatus.OK and "ETag" in response.headers
    response.headers["Cache-Control"] = "no-cache" if is_final else "no-store"
    if is_final and not context.contract_faults:
        response.make_conditional(request)
        response.headers.pop("Date", None)  # the server adds it to each response
    return response


def _is_changed_by_transport() -> bool:
    return any(changes(fault) for fault, _number in context_of_request().transport_faults)
