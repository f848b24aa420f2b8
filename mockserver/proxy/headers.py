"""Headers on their way through the proxy, in both directions (RFC 9110, 7.6)."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .upstream import Headers, Upstream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers about one connection; those that `Connection` names are too."""
_OWN = frozenset({"x-mock-token", "x-mock-request", "content-length", "expect"})
"""Headers for the proxy itself, and about the body, which is sent at once with its own length."""
CONDITIONS = frozenset(
    {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"}
)
"""Headers that ask for less than the whole response."""
_ABOUT_UPSTREAM = frozenset({"strict-transport-security", "alt-svc"})
"""Headers that would send a browser from the proxy to another port of its host."""
_LOCATIONS = frozenset({"location", "content-location"})
_CODINGS = ("gzip", "deflate", "identity")
_FAULT = re.compile(r'(^|,)\s*fault\s*=\s*("[^"]*"|[^\s,;]*)[^,]*', re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def request_headers(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the headers of a request as they arrived; names in lower case."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):  # WSGI stores these separately
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers


def forwarded(
    headers: Mapping[str, str],
    added: Headers,
    *,
    keeps_host: bool,
    is_read: bool,
    is_whole: bool,
) -> Headers:
    """Return the headers to send to the upstream.

    `added` replace those of the client. `is_read` limits the content codings to those that the
    proxy can decode; `is_whole` removes conditions and ranges. A preferred fault is the proxy's.
    """
    dropped = {*_HOP_BY_HOP, *_OWN, *_named_by_connection(headers), *(name for name, _ in added)}
    dropped |= set() if keeps_host else {"host"}
    dropped |= CONDITIONS if is_whole else set()
    sent = {name: value for name, value in headers.items() if name not in dropped}
    if is_read and "accept-encoding" in sent:
        sent["accept-encoding"] = _readable_codings(sent["accept-encoding"])
    if "prefer" in sent:
        sent["prefer"] = _FAULT.sub("", sent["prefer"]).strip(" ,")
    return [*((name, value) for name, value in sent.items() if value), *added]


def _named_by_connection(headers: Mapping[str, str]) -> set[str]:
    return {one.strip().lower() for one in headers.get("connection", "").split(",")}


def _readable_codings(accepted: str) -> str:
    """Return the codings of Accept-Encoding that the proxy can decode; identity if there is none.

    `*` stands for gzip, which every client supports that accepts anything.
    """
    found = []
    for one in accepted.split(","):
        coding, separator, quality = one.strip().partition(";")
        name = "gzip" if coding.strip() == "*" else coding.strip().lower()
        if name in _CODINGS:
            found.append(f"{name}{separator}{quality}")
    return ", ".join(found) or "identity"


class ReturnedHeaders:
    """Changes the headers of responses so that they fit the proxy's own address.

    With `drops_cors`, the headers of cross-origin requests are the proxy's own.
    """

    def __init__(self, upstream: Upstream, *, drops_cors: bool) -> None:
        self._prefix = upstream.prefix
        self._origin = _origin(upstream.origin)
        self._drops_cors = drops_cors

    def of(self, headers: Headers, own_url: str) -> Headers:
        """Return the headers for the client of the proxy at `own_url`, an origin."""
        return [*self._changed(headers, own_url)]

    def _changed(self, headers: Headers, own_url: str) -> Iterator[tuple[str, str]]:
        lower: dict[str, str] = {}
        for name, value in headers:
            lower[name.lower()] = f"{lower.get(name.lower(), '')},{value}"
        dropped = {*_HOP_BY_HOP, *_ABOUT_UPSTREAM, *_named_by_connection(lower)}
        if "transfer-encoding" in lower:  # it overrides a length (RFC 9112, 6.3)
            dropped.add("content-length")
        is_secure = own_url.startswith("https:")
        for name, value in headers:
            kind = name.lower()
            if kind in dropped or (self._drops_cors and kind.startswith("access-control-")):
                continue
            if kind in _LOCATIONS:
                yield name, self._location(value, own_url)
            elif kind == "set-cookie":
                yield name, self._cookie(value, is_secure=is_secure)
            else:
                yield name, value

    def _location(self, location: str, own_url: str) -> str:
        """Return an address of the upstream as one of the proxy; others unchanged."""
        try:
            is_absolute = bool(urlsplit(location).netloc)
            scheme = self._origin[0]
            is_of_upstream = is_absolute and _origin(location, scheme) == self._origin
        except ValueError:
            return location
        if is_of_upstream:
            rest = location.split("://", 1)[-1].removeprefix("//")
            place = re.search(r"[/?#]", rest)
            path = self._without_prefix(rest[place.start() :] if place else "/")
            return location if path is None else own_url + path
        path = self._without_prefix(location) if not is_absolute else None
        return location if path is None or not location.startswith("/") else path

    def _without_prefix(self, path: str) -> str | None:
        """Return a path below the prefix without it; None for a path elsewhere."""
        rest = path.removeprefix(self._prefix)
        is_below = path.startswith(self._prefix) and (not self._prefix or rest[:1] in "/?#")
        return (rest if rest.startswith("/") else f"/{rest}") if is_below else None

    def _cookie(self, cookie: str, *, is_secure: bool) -> str:
        """Return a cookie that the browser stores for the proxy's host.

        `Domain` is dropped, and what plain HTTP cannot have: `Secure`, and what depends on it.
        """
        pair, *attributes = cookie.split(";")
        return ";".join([pair, *self._attributes(attributes, is_secure=is_secure)])

    def _attributes(self, attributes: list[str], *, is_secure: bool) -> Iterator[str]:
        for one in attributes:
            name, _, value = (part.strip().lower() for part in one.partition("="))
            needs_tls = name in {"secure", "partitioned"} or (name, value) == ("samesite", "none")
            if name == "domain" or (needs_tls and not is_secure):
                continue
            if name == "path":
                written = one.partition("=")[2].strip()
                path = self._without_prefix(written)
                yield f" Path={written if path is None else path}"
            else:
                yield one


def _origin(url: str, scheme: str = "") -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL; `scheme` is that of a URL without one."""
    parts = urlsplit(url, scheme)
    name = parts.scheme.lower()
    return name, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(name)
