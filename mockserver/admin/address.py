"""The address of the mock as the current request reached it, for documents and shell lines."""

import re
from urllib.parse import quote

from flask import request

from deadringer.contracts import load_specification
from deadringer.contracts.coverage import Address
from deadringer.mockserver.config import DEMO_KEY, Settings
from deadringer.mockserver.context import SESSION_HEADER

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?", re.ASCII)
"""A host name or address, perhaps with a port."""


def own_url(settings: Settings) -> str:
    """Return the URL at which the current request reached the mock, without a slash at its end.

    Scheme, host and prefix are those of the request. A Host header that is no host and port is
    replaced by the address the mock listens on.
    """
    host = request.host
    if not _AUTHORITY.fullmatch(host):
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        host = f"{name}:{settings.port}"
    return f"{request.scheme}://{host}{quote(request.root_path.rstrip('/'))}"


def shown_key(settings: Settings) -> str:
    """Return the key that pages may show: the public demo key, "" if it is not accepted."""
    return DEMO_KEY if DEMO_KEY in settings.api_keys else ""


def address_of(settings: Settings, session: str, *, is_proxy: bool) -> Address:
    """Return the address for shell lines in a session; secrets are placeholders.

    A proxy does not have the runs that the lines read: its lines are for a mock with the defaults.
    """
    if is_proxy:
        return Address(load_specification()["servers"][0]["url"], DEMO_KEY)
    return Address(
        own_url(settings),
        shown_key(settings) or "YOUR_KEY",
        headers={SESSION_HEADER: session} if session else {},
        control_headers={"X-Mock-Token": "YOUR_TOKEN"} if settings.control_token else {},
    )
