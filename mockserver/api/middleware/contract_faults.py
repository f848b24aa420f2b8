"""Breaks promises of the contract for the sessions that ask for it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from deadringer.mockserver.api.prefer import parse_preferences
from deadringer.mockserver.context import session_of
from deadringer.mockserver.errors import ApiError, error_response
from deadringer.mockserver.state.events import EventLog
from deadringer.mockserver.world.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _SessionCounts:
    """Counters of a session; a reset of the session forgets them."""

    def __init__(self, events: EventLog, session: str) -> None:
        self._events = events
        self._session = session

    def add(self, name: str) -> int:
        return self._events.count(self._session, f"promise {name}")

    def value(self, name: str) -> int:
        return self._events.counted(self._session, f"promise {name}")


class BrokenPromises:
    """Wraps the application in the contract faults of a session, and the one a request prefers.

    Without any it steps aside.
    """

    def __init__(self, application: "WSGIApplication", service: Service) -> None:
        self._application = application
        self._service = service
        self._layers: dict[tuple[str, tuple[str, ...]], WSGIApplication] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        name = session_of(environ)
        names = self._service.broken_promises(name)
        preferred = _preferred(environ.get("HTTP_PREFER", ""))
        if preferred and preferred not in names:
            names = (*names, preferred)
        application = self._layer(name, names) if names else self._application
        try:
            return application(environ, start_response)
        except ApiError as error:  # a counter could not be written
            return error_response(error)(environ, start_response)

    def _layer(self, session: str, names: tuple[str, ...]) -> "WSGIApplication":
        found = self._layers.get((session, names))
        if found is None:
            # Few servers are broken: the others do not wait for this.
            from deadringer.mockserver.faults.contract import FaultyAnswers, faults_named

            keys = self._service.settings.api_keys
            counts = _SessionCounts(self._service.events, session)
            found = FaultyAnswers(self._application, faults_named(names), keys, counts)
            self._layers[session, names] = found
        return found


def _preferred(header: str) -> str | None:
    """Give the contract fault that `Prefer: fault=` names, None if it names none."""
    named = parse_preferences(header).get("fault") if "fault" in header.lower() else None
    if named is None:
        return None
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS

    return named if any(fault.name == named for fault in CONTRACT_FAULTS) else None
