"""How long an answer stays true, as HTTP tells it (RFC 9110, 9111)."""

import hashlib
from http import HTTPStatus

from flask import Response, request


def mark_final(response: Response) -> None:
    """Give the answer with a terminal execution its validator, a hash of its bytes."""
    response.set_etag(hashlib.blake2b(response.get_data(), digest_size=12).hexdigest())


def tell_freshness(response: Response) -> Response:
    """Say what a browser may do with the answer, and answer 304 if it has it already.

    `no-cache` lets it be stored but asks each time, so that a put, a reset or another seed is
    seen at once; what has no validator is not stored at all.
    """
    is_final = response.status_code == HTTPStatus.OK and "ETag" in response.headers
    response.headers["Cache-Control"] = "no-cache" if is_final else "no-store"
    if is_final:
        response.make_conditional(request)
        response.headers.pop("Date", None)  # the server tells it, anew for each answer
    return response
