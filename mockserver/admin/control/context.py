"""What every response of the control API starts from: the service, the journal, what was asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deadringer.contracts import JsonObject
from deadringer.mockserver.api.middleware.journal import Journal
from deadringer.mockserver.context import context_of_request
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.service import Service, Snapshot
from deadringer.mockserver.world.sessions import Session


@dataclass(frozen=True, slots=True)
class ControlContext:
    """The server that is steered, seen from the session of the request at hand.

    `body` and `query` are what the request sent, as the document describes them: who answers
    need not look again.
    """

    service: Service
    journal: Journal
    body: JsonObject = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)

    @property
    def session_name(self) -> str:
        """The session the request names."""
        return context_of_request().session_header or ""

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self.service.session(self.session_name)

    @property
    def snapshot(self) -> Snapshot:
        """What a request of the session sees now."""
        return self.service.snapshot(self.session_name)

    def change(self, kind: str, body: JsonObject) -> None:
        """Change the session."""
        self.service.change(self.session_name, kind, body)


def refused(where: str, problem: str, fix: str) -> ApiError:
    """Return the 400 for one bad part of a request."""
    return refusal_of([f"{where}: {problem}"], fix)


def refusal_of(lines: list[str], fix: str) -> ApiError:
    """Return the 400 for bad parts of a request, one line for each."""
    return ApiError(
        "VALIDATION_ERROR",
        f"Request has {len(lines)} validation error(s)",
        fix,
        details={"errors": lines},
    )


def require_known(name: str, names: Iterable[str], what: str) -> None:
    """Raise NOT_FOUND, naming what there is, unless the name is among it."""
    known = list(names)
    if name not in known:
        there_are = f"Known: {', '.join(known)}" if known else "There are none"
        raise ApiError("NOT_FOUND", f"There is no such {what}", there_are)
