"""The control token: compared in constant time, remembered by a browser in a cookie."""

import hashlib
import hmac

from flask import Request
from werkzeug.wrappers import Response

COOKIE = "deadringer_control"


def holds_token(request: Request, token: str) -> bool:
    """Tell whether a request sends the token itself."""
    return _is_equal(request.headers.get("X-Mock-Token", ""), token)


def holds_cookie(request: Request, token: str) -> bool:
    """Tell whether a request comes from a browser that was told the token."""
    return _is_equal(request.cookies.get(COOKIE, ""), _cookie_value(token))


def is_token(given: str, token: str) -> bool:
    """Tell whether somebody typed the token."""
    return _is_equal(given, token)


def remember(response: Response, token: str) -> None:
    """Let the browser hold the token from now on; scripts and other sites never get it."""
    response.set_cookie(
        COOKIE, _cookie_value(token), path="/__mock/", httponly=True, samesite="Strict"
    )


def _cookie_value(token: str) -> str:
    """Derive the value: a browser shows a cookie to every port of this machine."""
    return hmac.digest(token.encode(), b"deadringer control cookie", hashlib.sha256).hex()


def _is_equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
