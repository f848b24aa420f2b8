"""Pauses that were asked for: every one ends when the server stops."""

import threading

_stopping = threading.Event()


def pause(seconds: float) -> None:
    """Hold this request for a while; return at once if the server is stopping."""
    _stopping.wait(seconds)


def end_pauses() -> None:
    """Let every request go that is held, and hold none from here on."""
    _stopping.set()
