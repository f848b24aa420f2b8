"""Breaks promises of the contract for the sessions that ask for it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .service import Service, split_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BrokenPromises:
    """Wraps the application in the contract faults of a session; without any it steps aside."""

    def __init__(self, application: "WSGIApplication", service: Service) -> None:
        self._application = application
        self._service = service
        self._layers: dict[tuple[str, tuple[str, ...]], WSGIApplication] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        sent = environ.get("HTTP_X_API_KEY", "")
        name = environ.get("HTTP_X_MOCK_SESSION", "") or split_key(sent)[1]
        chosen = self._service.session(name).contract_faults
        names = self._service.settings.breaks if chosen is None else chosen
        application = self._layer(name, names) if names else self._application
        return application(environ, start_response)

    def _layer(self, session: str, names: tuple[str, ...]) -> "WSGIApplication":
        found = self._layers.get((session, names))
        if found is None:
            # Few servers are broken: the others do not wait for this.
            from .contract_faults import FaultyAnswers, faults_named

            keys = self._service.settings.api_keys
            found = FaultyAnswers(self._application, faults_named(names), keys)
            self._layers[session, names] = found
        return found
