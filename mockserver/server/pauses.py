"""What an application may do to its own response: hold it for a while, or break it off.

Every pause ends when its client is gone, or when the server stops.
"""

import threading

_stopping = threading.Event()
_here = threading.local()


class BrokenConnectionError(Exception):
    """Ends a response in the middle: the server closes the connection."""


def pause(seconds: float) -> None:
    """Hold this request for a while; return at once if nobody waits for its answer."""
    if not _stopping.is_set():
        ended: threading.Event = getattr(_here, "ended", _stopping)
        ended.wait(seconds)


def end_pauses_of_this_thread_with(ended: threading.Event) -> None:
    """Let the pauses of this thread end when that is set."""
    _here.ended = ended


def end_pauses() -> None:
    """Hold no request from here on, and let those go whose thread has no event of its own."""
    _stopping.set()
