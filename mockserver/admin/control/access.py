"""Access to the control API and the pages: from this machine, or with the control token.

Any page can make a browser send requests, so a browser's request is checked by its origin.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from enum import Enum, auto
from urllib.parse import quote, urlsplit

from flask import Request, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from deadringer.mockserver.config import Settings
from deadringer.mockserver.context import HEALTH, context_of_request
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.service import Service

_WIDE = {"0.0.0.0", "::", ""}  # noqa: S104 - only compared


def is_loopback(name: str) -> bool:
    """Return whether a host name or address is this machine, also for browsers (RFC 6761)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_own(name: str, bound: str, allowed: Iterable[str]) -> bool:
    """Return whether a request for this host name can be meant for the mock.

    By DNS rebinding, another site can point its own name to this address, and its pages would pass
    as pages of the mock. That is impossible with an address, and with a name outside of public
    registries, as containers use them.
    """
    if is_loopback(name) or name == bound.lower() or name in {one.lower() for one in allowed}:
        return True
    if is_loopback(bound.lower()):
        return False
    is_private = "." not in name or name.endswith(".internal")
    return bool(name) and (_address(name) is not None or is_private)


def host_name(authority: str) -> str:
    """Return the name or address in `name:port`, "" if there is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:  # an unbalanced bracket
        return ""


def authority_of(origin: str) -> str:
    """Return `name:port` of an origin, "" if it has none, such as `null`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def binds_wide(bound: str) -> bool:
    """Return whether other machines can reach a server that binds there."""
    return bound in _WIDE or not is_loopback(bound.lower())


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


READING = frozenset({"GET", "HEAD"})
OWN_HEADERS = ("X-Mock-Session", "X-Mock-Token", "X-Mock-Request")
"""Headers that pages of other sites can send only if CORS allows it, and forms never."""
_SENT_BY_BROWSERS = ("Origin", "Sec-Fetch-Site")
"""`Sec-Fetch-Mode` is not among them: the `fetch` of Node sends it too."""


class Sender(Enum):
    """The origin of a request."""

    OWN_PAGE = auto()
    LOCAL_PAGE = auto()
    """A page of this machine, on another port."""
    LINK = auto()
    """A link on another page was followed; that page cannot read the response."""
    PROGRAM = auto()
    OTHER_SITE = auto()


def sender_of(request: Request) -> Sender:
    """Return the origin of a request."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return _by_origin(origin, request.host)
    if _is_program(request):
        return Sender.PROGRAM
    is_same = request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}
    if is_same and (request.method in READING or _is_no_form(request)):
        return Sender.OWN_PAGE
    return Sender.LINK if _is_followed_link(request) else Sender.OTHER_SITE


def _by_origin(origin: str, host: str) -> Sender:
    authority = authority_of(origin).lower()
    if authority == host.lower():
        return Sender.OWN_PAGE
    return Sender.LOCAL_PAGE if is_loopback(host_name(authority)) else Sender.OTHER_SITE


def _is_program(request: Request) -> bool:
    if any(name in request.headers for name in _SENT_BY_BROWSERS):
        return False
    return "Referer" not in request.headers or _is_no_form(request)


def _is_no_form(request: Request) -> bool:
    return request.is_json or any(name in request.headers for name in OWN_HEADERS)


def _is_followed_link(request: Request) -> bool:
    message = request.headers
    is_shown = message.get("Sec-Fetch-Dest") == "document"
    return request.method in READING and message.get("Sec-Fetch-Mode") == "navigate" and is_shown


COOKIE = "deadringer_control"


def holds_token(request: Request, token: str) -> bool:
    """Return whether a request sends the token itself."""
    return _is_equal(request.headers.get("X-Mock-Token", ""), token)


def holds_cookie(request: Request, token: str) -> bool:
    """Return whether a request has the cookie of a browser that is signed in."""
    return _is_equal(request.cookies.get(COOKIE, ""), _cookie_value(token))


def is_token(entered: str, token: str) -> bool:
    """Return whether the entered text is the token."""
    return _is_equal(entered, token)


def remember(response: AnyResponse, token: str) -> None:
    """Set the cookie that signs a browser in; scripts and other sites cannot read it."""
    response.set_cookie(
        COOKIE, _cookie_value(token), path="/__mock/", httponly=True, samesite="Strict"
    )


def _cookie_value(token: str) -> str:
    """Return the derived value: a browser sends a cookie to every port of this machine."""
    return hmac.digest(token.encode(), b"deadringer control cookie", hashlib.sha256).hex()


def _is_equal(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode())


ROOT = "/__mock/"
PAGES = f"{ROOT}ui/"
SIGN_IN = f"{PAGES}token"
ASSETS = f"{PAGES}assets/"


def guard(service: Service) -> AnyResponse | None:
    """Refuse pages of other sites and, if a token is set, requests without it.

    Raises:
        ApiError: AUTH_REQUIRED or FORBIDDEN.
    """
    if not request.path.startswith(ROOT) or request.method == "OPTIONS":
        return None
    is_health = request.path.startswith(HEALTH)
    if is_health or request.headers.get("X-Mock-Request") == "poll":
        context_of_request().is_quiet = True
    if is_health:
        return None  # a supervisor has no token, and sends any host name
    token = service.settings.control_token
    if token is not None:
        return _require_token(token)
    require_own_page(
        service.settings,
        "the control API",
        "Serve the page from localhost, or start with --control-token",
    )
    return None


def require_own_page(settings: Settings, what: str, fix: str) -> None:
    """Refuse the current request if a page of another site may have sent it.

    Raises:
        ApiError: FORBIDDEN.
    """
    _require_own_host(settings, what)
    if sender_of(request) is Sender.OTHER_SITE:
        raise ApiError("FORBIDDEN", f"Cross-site requests to {what} are not allowed", fix)


def share(response: Response, settings: Settings) -> Response:
    """Add CORS headers for pages of this machine, or for all pages if a token is required."""
    origin = request.headers.get("Origin")
    if not origin or not request.path.startswith(ROOT):
        return response
    if is_loopback(host_name(authority_of(origin))) or settings.control_token is not None:
        allowed = {
            "Origin": origin,
            "Methods": "GET, POST, PUT, PATCH, DELETE",
            "Headers": ", ".join(("Content-Type", *OWN_HEADERS)),
        }
        response.headers.update({f"Access-Control-Allow-{one}": allowed[one] for one in allowed})
        response.headers["Vary"] = "Origin"
    return response


def preflight() -> Response | None:
    """Return the response to a CORS preflight, else None; `share` adds the headers."""
    if request.method != "OPTIONS" or not request.path.startswith(ROOT):
        return None
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def _require_own_host(settings: Settings, what: str) -> None:
    name = host_name(request.host)
    if not is_own(name, settings.host, settings.allowed_hosts):
        raise ApiError(
            "FORBIDDEN",
            f"The host name {name[:80]!r} is not allowed for {what}",
            "Use localhost or the address, or start with --allow-host NAME",
        )


def _requested_target() -> str:
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")


def _require_token(token: str) -> AnyResponse | None:
    """Accept requests with the token or the cookie; return a redirect or raise for others.

    A browser sends the cookie from every page of this machine, so with the cookie alone only the
    mock's own pages may write.
    """
    is_open = request.path == SIGN_IN or request.path.startswith(ASSETS)
    if is_open or holds_token(request, token):
        return None
    is_reading = request.method in READING
    is_trusted = is_reading or sender_of(request) in {Sender.OWN_PAGE, Sender.PROGRAM}
    if is_trusted and holds_cookie(request, token):
        return None
    # Only navigation is redirected: a fetch would take the sign-in page for its data.
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    if is_reading and is_page and request.path.startswith(PAGES):
        return redirect(f"{SIGN_IN}?next={quote(_requested_target(), safe='/')}", 303)
    raise ApiError(
        "AUTH_REQUIRED",
        "The control token is missing or wrong",
        f"Send it in the X-Mock-Token header, or sign in at {SIGN_IN}",
    )
