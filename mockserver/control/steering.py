"""What every answer of the control API starts from: the service, the journal, the request."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from flask import request

from contracts import JsonObject
from mockserver.errors import ApiError
from mockserver.journal import Journal
from mockserver.routes import session_of_request
from mockserver.service import Scene, Service
from mockserver.sessions import Session


@dataclass(frozen=True, slots=True)
class Steering:
    """The server that is steered, seen from the session of the request at hand."""

    service: Service
    journal: Journal

    @property
    def session_name(self) -> str:
        """The session the request names."""
        return session_of_request()

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self.service.session(self.session_name)

    @property
    def scene(self) -> Scene:
        """What a request of the session sees now."""
        return self.service.scene(self.session_name)

    def change(self, kind: str, body: JsonObject) -> None:
        """Change the session, for all workers."""
        self.service.change(self.session_name, kind, body)


def read_object() -> JsonObject:
    """Give the JSON object of the request; an absent body is `{}`.

    Raises:
        ApiError: BAD_REQUEST if it is none.
    """
    raw = request.get_data()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise ApiError("BAD_REQUEST", f"The body is not JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise ApiError("BAD_REQUEST", "The body is not a JSON object", "Send an object")
    return body


def refused(where: str, problem: str, fix: str) -> ApiError:
    """Give the 400 for one bad part of a request."""
    return ApiError(
        "VALIDATION_ERROR",
        "Request has 1 validation error(s)",
        fix,
        details={"errors": [f"{where}: {problem}"]},
    )


def require_known(name: str, names: Iterable[str], what: str) -> None:
    """Raise NOT_FOUND, naming what there is, unless the name is among it."""
    known = list(names)
    if name not in known:
        raise ApiError("NOT_FOUND", f"There is no such {what}", f"Known: {', '.join(known)}")
