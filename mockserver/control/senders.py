"""Who sends a request, as far as a browser tells: a program such as curl says nothing of it."""

from enum import Enum, auto

from flask import Request

from .hosts import authority_of, host_name, is_loopback

READING = frozenset({"GET", "HEAD"})
OWN_HEADERS = ("X-Mock-Session", "X-Mock-Token", "X-Mock-Request")
"""Headers a page of another site can send only with our consent; plain forms never can."""
_TOLD_BY_BROWSERS = ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode")


class Sender(Enum):
    """Where a request comes from."""

    OWN_PAGE = auto()
    LOCAL_PAGE = auto()
    """A page of this machine, on another port."""
    LINK = auto()
    """Somebody followed a link to us; the page that has it cannot read the answer."""
    PROGRAM = auto()
    OTHER_SITE = auto()


def sender_of(request: Request) -> Sender:
    """Give where a request comes from."""
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
    if any(name in request.headers for name in _TOLD_BY_BROWSERS):
        return False
    return "Referer" not in request.headers or _is_no_form(request)


def _is_no_form(request: Request) -> bool:
    return request.is_json or any(name in request.headers for name in OWN_HEADERS)


def _is_followed_link(request: Request) -> bool:
    told = request.headers
    is_shown = told.get("Sec-Fetch-Dest") == "document"
    return request.method in READING and told.get("Sec-Fetch-Mode") == "navigate" and is_shown
