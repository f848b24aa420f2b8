"""Serves a WSGI application over HTTP: uvicorn with connections and a gateway of its own."""

from .limits import Limits
from .refusals import Refusal
from .run import serve
from .sockets import (
    BindError,
    Certificate,
    base_url,
    bind,
    bind_path,
    check_certificate,
    take_over,
)

__all__ = [
    "BindError",
    "Certificate",
    "Limits",
    "Refusal",
    "base_url",
    "bind",
    "bind_path",
    "check_certificate",
    "serve",
    "take_over",
]
