"""Authentication: a known key, in `x-api-key` or as a bearer token."""

import hmac
from collections.abc import Iterable

from deadringer.mockserver.errors import ApiError


def is_known_key(key: str, known_keys: Iterable[str]) -> bool:
    """Return whether the key is known, compared in constant time."""
    sent = _bytes(key)
    matches = [hmac.compare_digest(sent, _bytes(known)) for known in known_keys]
    return any(matches)


def require_known_key(key: str, *, known: bool) -> None:
    """Raise an error if a request has no key, or an unknown one.

    Raises:
        ApiError: AUTH_REQUIRED or INVALID_API_KEY; neither contains the key.
    """
    if not key:
        raise ApiError("AUTH_REQUIRED")
    if not known:
        raise ApiError("INVALID_API_KEY")


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
