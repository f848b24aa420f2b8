"""How much of everything the server accepts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a server; sizes are in bytes, times in seconds."""

    head_bytes: int = 64 * 2**10
    """Target and headers of a request; also the limit of chunk extensions and trailers."""
    headers: int = 256
    body_bytes: int = 64 * 2**20
    """The body of a request, also after its Content-Encoding is decoded."""
    held_bytes: int = 256 * 2**20
    """All bodies together that arrive or belong to requests in progress, also decoded."""
    connections: int = 10_000
    threads: int = 512
    """Requests that the application handles at the same time; the others wait."""
    head_s: float = 30
    body_idle_s: float = 5
    body_s: float = 60
    idle_s: float = 75
    """How long a connection stays open without a request."""
    unread_s: float = 60
    """How long a client may leave a response unread."""
    linger_s: float = 2
    """How long a refused client may go on sending: closed at once, it could lose the response."""
    stop_s: float = 7
    """How long requests in progress may take once the server stops."""
