"""What an application may do to its own response: delay it, write raw bytes or break it off.

A delay ends when the client is gone, or when the server stops. Under other servers than ours there
are only delays, and nothing ends them.
"""

import threading
import time
from typing import Protocol


class Wire(Protocol):
    """The connection of the request that a thread handles."""

    given_up: threading.Event
    """Set when the client no longer waits for the response."""

    def write_raw(self, data: bytes) -> None:
        """Write bytes to the connection, in front of the status line if it is not sent."""


class BrokenConnectionError(Exception):
    """Ends a response: the server closes the connection, or resets it, without another byte."""

    def __init__(self, *, is_reset: bool = False) -> None:
        super().__init__("reset" if is_reset else "closed")
        self.is_reset = is_reset


_here = threading.local()


def attach(wire: Wire | None) -> None:
    """Let this thread handle a request of that connection; None ends that."""
    _here.wire = wire


def has_wire() -> bool:
    """Return whether this thread handles a request whose connection it can reach."""
    return getattr(_here, "wire", None) is not None


def pause(seconds: float) -> None:
    """Delay this response; return at once if the client no longer waits for it."""
    wire: Wire | None = getattr(_here, "wire", None)
    if wire is None:
        time.sleep(seconds)
    else:
        wire.given_up.wait(seconds)


def write_raw(data: bytes) -> None:
    """Write bytes as they are; end the response with `BrokenConnectionError` afterwards."""
    _here.wire.write_raw(data)
