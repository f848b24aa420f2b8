"""The context of a control request, and the errors that views of the control API raise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from deadringer.contracts import JsonObject, Violation
from deadringer.mockserver.api.middleware.coverage import Coverage
from deadringer.mockserver.api.middleware.journal import Journal
from deadringer.mockserver.context import context_of_request
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.service import Service, Snapshot
from deadringer.mockserver.world.sessions import Session

if TYPE_CHECKING:
    from deadringer.contracts.check import Report


class SeenRun(NamedTuple):
    """A run as a proxy has last seen it; `envelope` is its response without `data`.

    Pointers of the violations are those of the response, or of what it was compared with.
    """

    workflow_id: str
    run_id: str
    execution: JsonObject
    envelope: JsonObject
    violations: Sequence[Violation]


class SeenTraffic(Protocol):
    """What a proxy has seen of the server behind it."""

    def run(self, workflow_id: str, run_id: str) -> SeenRun | None:
        """Return a run as it was last read, None if it was not."""

    def runs(self) -> list[SeenRun]:
        """Return every run that was read and is remembered, the last read first."""

    def report(self) -> "Report":
        """Return the report on everything so far."""

    def forget(self) -> None:
        """Compare nothing with earlier exchanges any more, and show no earlier run."""


@dataclass(frozen=True, slots=True)
class ControlContext:
    """The service, the journal and the coverage, from the session of the current request.

    `body` and `query` are what the request sent, already validated by the document. `traffic` is
    set if this is a proxy and no mock.
    """

    service: Service
    journal: Journal
    coverage: Coverage
    traffic: SeenTraffic | None = None
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
    """Return the 400 for one invalid part of a request."""
    return refusal_of([f"{where}: {problem}"], fix)


def refusal_of(lines: list[str], fix: str) -> ApiError:
    """Return the 400 for invalid parts of a request, one line each."""
    return ApiError(
        "VALIDATION_ERROR",
        f"Request has {len(lines)} validation error(s)",
        fix,
        details={"errors": lines},
    )


def require_known(name: str, names: Iterable[str], what: str) -> None:
    """Raise NOT_FOUND with the known names, unless the name is one of them."""
    known = list(names)
    if name not in known:
        there_are = f"Known: {', '.join(known)}" if known else "There are none"
        raise ApiError("NOT_FOUND", f"There is no such {what}", there_are)
