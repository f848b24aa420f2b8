"""The environ of a request, as PEP 3333 has it."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import parse_url

Environ = dict[str, Any]

_USUAL_NAME = 64
"""Bytes of a name of a header; longer ones are not remembered."""


def request_environ(method: bytes, target: bytes, version: str) -> Environ:
    """Give what the first line of a request says; `target` may be a whole URL.

    Raises:
        HttpParserInvalidURLError: if it is none, nor a path.
    """
    path, query = _split(target)
    return {
        "REQUEST_METHOD": method.decode("ascii"),
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{version}",
    }


def _split(target: bytes) -> tuple[bytes, bytes]:
    if target.startswith(b"/"):
        path, _, query = target.partition(b"#")[0].partition(b"?")
        return path, query
    if target == b"*":
        return target, b""
    parts = parse_url(target)
    return parts.path or b"/", parts.query or b""


def header_environ(headers: Iterable[tuple[bytes, bytes]]) -> Environ:
    """Give what the headers say; of those that come again, the values are joined.

    A name with an underscore is left out: it would pass for one with a hyphen.
    """
    environ: Environ = {}
    for name, value in headers:
        if b"_" in name:
            continue
        key = _usual_key(name) if len(name) <= _USUAL_NAME else _key(name)
        text, before = value.decode("latin-1"), environ.get(key)
        if before is not None:
            text = f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


_usual_key = lru_cache(maxsize=1024)(_key)
