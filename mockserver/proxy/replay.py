"""What a recording looks like to the proxy: it may respond instead of the upstream."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class StoredResponse(NamedTuple):
    """A recorded response; names of headers may repeat, as in `Set-Cookie`."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class NoRecording(NamedTuple):
    """Why no recording matches a request: one line for each of the nearest ones."""

    nearest: Sequence[str]


class Replay(Protocol):
    """A source of recorded responses."""

    always: bool
    """Whether it responds to every request, and not only if the upstream cannot be reached."""

    def respond(
        self, method: str, path: str, query: str, headers: Mapping[str, str]
    ) -> StoredResponse | NoRecording:
        """Return the recorded response to a request.

        `path` is that of the request without the upstream's prefix, and `query` without `?`, both
        as sent; names of headers are in lower case.
        """
