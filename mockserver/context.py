"""What a request says of itself, read one way by every layer: path, key and session."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import EnvironHeaders, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

API_ROOT = "/v1"
NOTES = "deadringer.notes"
"""Where the application notes, in the WSGI environment, how it came to its response."""
CACHEABLE = "deadringer.cacheable"
"""Where the application puts what makes a response cacheable, see `api.middleware.cache`."""
WINDOW = "deadringer.window"
"""Where a layer that has counted a request already leaves its rate window for the application."""
SESSION_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
SESSION_IN_KEY = "__session_"
"""`trig_…__session_NAME` is the key `trig_…` in the session NAME."""


def asked_path(environ: Mapping[str, Any]) -> str:
    """Return the path of a WSGI environment; Flask reads `//v1` as `/v1`, and so do all others."""
    return "/" + str(environ.get("PATH_INFO", "")).lstrip("/")


def sent_key(headers: Headers) -> str:
    """Return the key of a request, "" if it has none; `x-api-key` precedes `Authorization`."""
    key = headers.get("x-api-key", "").strip()
    if key:
        return key
    scheme, _, token = headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def split_key(key: str) -> tuple[str, str]:
    """Return the key without the session it carries, and the session's name ("" for none)."""
    bare, _, name = key.partition(SESSION_IN_KEY)
    return (bare, name) if SESSION_NAME.fullmatch(name) else (key, "")


def session_of(environ: "WSGIEnvironment") -> str:
    """Return the name of the session a request is in, as its headers say.

    A request whose header holds no valid name is refused, and noted in the nameless session.
    """
    headers = EnvironHeaders(environ)
    name = headers.get("X-Mock-Session")
    if name is None:
        return split_key(sent_key(headers))[1]
    return name if SESSION_NAME.fullmatch(name) else ""
