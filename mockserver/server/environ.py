"""The WSGI environ of a request, as PEP 3333 describes it, and what RFC 9112 wants refused."""

import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from .limits import Limits
from .refusals import (
    HEAD_TOO_LARGE,
    NOT_ONE_HOST,
    OTHER_CODING,
    UNSUPPORTED_VERSION,
    RefusedError,
    unreadable,
)

Environ = dict[str, Any]
Scope = MutableMapping[str, Any]

COMMON: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "deadringer",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
"""What is the same for every request."""
RAW_PATH = "deadringer.raw_path"
"""Where the path is as it was sent, if that is not `PATH_INFO`."""
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose bodies mean nothing; they are neither waited for nor passed on."""
_NAME = r"(?:\[[0-9a-f:.]+\]|[!$&'()*+,;=._~%0-9a-z-]+)"
_HOST = re.compile(rf"(?:{_NAME}(?::[0-9]*)?)?", re.IGNORECASE)
_WHOLE_URL = re.compile(rf"https?://({_NAME}(?::[0-9]*)?)(/.*)?".encode(), re.IGNORECASE)
_LOGIN = re.compile(rb"//[^/?#]*@")
"""Name and password in a URL, which RFC 9110 (4.2.4) has no place for."""


def environ_of(scope: Scope, limits: Limits) -> Environ:
    """Return what is particular to a request (see `COMMON`), without `wsgi.input`.

    Raises:
        RefusedError: if RFC 9112 wants the request refused, or it is too large.
    """
    fields = scope["headers"]
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in fields)
    if size > limits.head_bytes or len(fields) > limits.headers:
        raise RefusedError(HEAD_TOO_LARGE.of(limits=limits))
    version = scope["http_version"]
    if version not in {"1.0", "1.1"}:
        raise RefusedError(UNSUPPORTED_VERSION)
    path, _, fragment = scope["raw_path"].partition(b"#")
    query = b"" if fragment else scope["query_string"].partition(b"#")[0]
    host, port = scope["server"] or ("localhost", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{version}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.url_scheme": scope["scheme"],
    }
    _add_headers(environ, fields)
    hosts = sum(name == b"host" for name, _ in fields)
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise RefusedError(NOT_ONE_HOST)
    if not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
        raise RefusedError(unreadable(f"the Host {environ['HTTP_HOST']!r}"))
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise RefusedError(OTHER_CODING)
    if "HTTP_TRANSFER_ENCODING" in environ and "CONTENT_LENGTH" in environ:
        raise RefusedError(unreadable("it has both Content-Length and Transfer-Encoding"))
    is_server_wide = path == b"*" and scope["method"] == "OPTIONS"
    if not path.startswith(b"/") and not is_server_wide:
        whole = _WHOLE_URL.fullmatch(path)
        if whole is None:
            shown = unquote_to_bytes(_LOGIN.sub(b"//***@", path)).decode("latin-1")
            raise RefusedError(unreadable(f"the address {shown!r}"))
        environ["HTTP_HOST"] = whole[1].decode("latin-1")
        path = whole[2] or b"/"
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    if b"%" in path:
        environ[RAW_PATH] = path.decode("latin-1")
    return environ


def _add_headers(environ: Environ, headers: list[tuple[bytes, bytes]]) -> None:
    """Add headers; the values of one that comes again are joined.

    A name with an underscore is left out: it would pass for one with a hyphen. So is the offer of
    another protocol, which is never accepted.
    """
    for name, value in headers:
        if b"_" in name or name == b"upgrade":
            continue
        key = _key(name)
        text, before = value.decode("latin-1"), environ.get(key)
        if before is not None:
            text = f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text


@lru_cache(maxsize=1024)
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
