"""Loads Granian without packages it would load for options that nobody uses here.

They are no part of it: it looks whether they are there, and they take a fortieth of a start. So all
that we use of it is imported here, and from here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = ("anyio", "dotenv", "setproctitle", "watchfiles")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let packages seem not to be installed, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None says so to Python
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden(_UNUSED):
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.net import SocketHolder  # type: ignore[attr-defined]
    from granian.server import MTServer
    from granian.server import mt as thread_server
    from granian.wsgi import Response

__all__ = [
    "HTTPModes",
    "Interfaces",
    "LogLevels",
    "MTServer",
    "Response",
    "SocketHolder",
    "thread_server",
]
