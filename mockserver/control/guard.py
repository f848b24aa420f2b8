"""Who may use the control API and the pages: this machine, or whoever holds the token.

A browser obeys any page it shows, so what it sends is judged by the page it comes from.
"""

from urllib.parse import quote

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from mockserver.errors import ApiError
from mockserver.logs import QUIET
from mockserver.service import Service
from mockserver.settings import Settings

from .hosts import authority_of, host_name, is_loopback, is_own
from .senders import OWN_HEADERS, READING, Sender, sender_of
from .tokens import holds_cookie, holds_token

ROOT = "/__mock/"
PAGES = f"{ROOT}ui/"
SIGN_IN = f"{PAGES}token"
ASSETS = f"{PAGES}assets/"


def guard(service: Service) -> AnyResponse | None:
    """Refuse pages of other sites, and, if a token is set, whoever lacks it.

    Raises:
        ApiError: AUTH_REQUIRED or FORBIDDEN.
    """
    if not request.path.startswith(ROOT) or request.method == "OPTIONS":
        return None
    if request.headers.get("X-Mock-Request") == "poll":
        request.environ[QUIET] = True
    token = service.settings.control_token
    if token is not None:
        return _require_token(token)
    _require_own_host(service.settings)
    sender = sender_of(request)
    if sender is Sender.OTHER_SITE:
        raise ApiError(
            "FORBIDDEN",
            "Pages of other sites may not steer this mock",
            "Serve the page from localhost, or start with --control-token",
        )
    return None


def share(response: Response, settings: Settings) -> Response:
    """Let pages of this machine, and those that hold the token, use the control API."""
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
    """Answer a browser's question before its request; the headers come from `share`."""
    is_question = request.method == "OPTIONS" and request.path.startswith(ROOT)
    if not is_question:
        return None
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer


def _require_own_host(settings: Settings) -> None:
    name = host_name(request.host)
    if not is_own(name, settings.host, settings.allowed_hosts):
        raise ApiError(
            "FORBIDDEN",
            f"This mock does not answer here under the name {name[:80]!r}",
            "Call it by localhost or by its address, or start with --allow-host NAME",
        )


def _address() -> str:
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")


def _require_token(token: str) -> AnyResponse | None:
    """Let in whoever sends the token, or a browser that knows it.

    A browser sends its cookie along from every page of this machine, so that with the cookie alone
    only our own pages may write.
    """
    is_open = request.path == SIGN_IN or request.path.startswith(ASSETS)
    if is_open or holds_token(request, token):
        return None
    is_reading = request.method in READING
    is_ours = is_reading or sender_of(request) in {Sender.OWN_PAGE, Sender.PROGRAM}
    if is_ours and holds_cookie(request, token):
        return None
    # What a page fetches by itself would be taken for a part of it.
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    if is_reading and is_page and request.path.startswith(PAGES):
        return redirect(f"{SIGN_IN}?next={quote(_address(), safe='/')}", 303)
    raise ApiError(
        "AUTH_REQUIRED",
        "The control token is missing or wrong",
        f"Send it as X-Mock-Token, or tell it to the browser at {SIGN_IN}",
    )
