"""Which answers last: Flask says so here, and whoever stands in front of it may repeat them."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from flask import Response, g, request

from .family import Family
from .rate_limits import Caller
from .service import Scene, Service
from .session_clock import SessionClock
from .sessions import Session

LASTING = "deadringer.lasting"
"""Where the application puts a `Lasting` into the WSGI environment."""
WINDOW = "deadringer.window"
"""Where a layer that has counted a request already leaves its window for the application."""


class Lasting(NamedTuple):
    """What an answer that lasts was made from; it is true while all of that is as it was.

    `caller` is whose window a request counts in, None where none is counted; `clock` the one of
    the session; from `since` to `until`, by the machine's clock, time alone does not change it.
    """

    body: bytes
    session: Session
    generation: int
    family: Family
    clock: SessionClock
    since: datetime
    until: datetime | None
    caller: Caller | None


def note_lasting(service: Service, response: Response) -> Response:
    """Note that the answer at hand lasts, if it does: a terminal execution, nothing special asked.

    A run of the world stays readable at least until the session's next midnight (UTC), when the
    list's old end moves. Before this moment it may not have ended: a clock can be set back.
    """
    scene: Scene | None = g.get("scene")
    if scene is None or not _is_lasting(response) or not service.is_undisturbed(scene.session):
        return response
    midnight = scene.now.replace(hour=0, minute=0, second=0, microsecond=0)
    clock = service.session_clock(scene.session.name)
    try:
        until = clock.machine_time_of(midnight + timedelta(days=1))
    except OverflowError:  # on the last day of the year 9999
        return response
    request.environ[LASTING] = Lasting(
        b"" if response.status_code == HTTPStatus.NOT_MODIFIED else response.get_data(),
        scene.session,
        scene.generation,
        scene.family,
        clock,
        service.clock.now(),
        until,
        g.get("caller"),
    )
    return response


def _is_lasting(response: Response) -> bool:
    return (
        request.method == "GET"
        and response.status_code in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
        and "ETag" in response.headers
        and not response.is_streamed
        and not g.preferences.wanted
        and not g.faults
    )
