"""Serves a WSGI application over HTTP: uvicorn with connections and a gateway of its own."""

from .limits import Limits, Refusal
from .run import Certificate, bind, serve

__all__ = ["Certificate", "Limits", "Refusal", "bind", "serve"]
