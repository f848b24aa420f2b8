"""Which transport faults a request meets: those of its session, and the one it prefers."""

from datetime import UTC, datetime, timedelta

from flask import Response, g, request

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.mockserver.context import NOTES
from deadringer.mockserver.faults.transport import (
    NAMED_FAULTS,
    Request,
    breaks_off,
    chaos_faults,
    is_due,
    meets,
    refuses,
    spoil,
    strikes,
)
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.sessions import Session

from .prefer import Preferences


def fault_names() -> list[str]:
    """Give the names `Prefer: fault=` knows: transport faults, then contract faults."""
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS  # few requests prefer one

    return [*sorted(NAMED_FAULTS), *sorted(fault.name for fault in CONTRACT_FAULTS)]


def begin_faults(service: Service, session: Session, key: str) -> None:
    """Note the faults that strike the request at hand; counted once, before it is answered."""
    g.faults = []
    faults = [fault for _, fault in faults_in_force(service, session)]
    if not faults:
        return
    ids = request.view_args or {}
    asked = Request(request.path, request.method, request.endpoint or "", ids.get("id", ""), key)
    for fault in faults:
        if is_due(fault, g.scene.now) and meets(fault, asked):
            number = service.events.count(session.name, fault["id"])
            if strikes(fault, number):
                g.faults.append((fault, number))


def faults_in_force(service: Service, session: Session) -> list[tuple[str, JsonObject]]:
    """Give the faults that may meet a session's requests, each after where it comes from."""
    chaos = service.chaos(session.name)
    return [
        *(("chaos", fault) for fault in (chaos_faults(chaos) if chaos else ())),
        *(("scenario", fault) for fault in scenario_faults(session)),
        *(("session", fault) for fault in session.faults.values()),
    ]


def scenario_faults(session: Session) -> list[JsonObject]:
    """Give the faults of a session's scenario, on the timeline that began with it."""
    if session.scenario is None or not session.scenario.document.get("faults"):
        return []
    began = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=session.began_ms)
    return session.scenario.faults(format_timestamp(began))


def prefer_fault(preferences: Preferences) -> None:
    """Note the fault the request at hand prefers; `BrokenPromises` breaks those of the contract."""
    named = preferences.apply("fault")
    if named in NAMED_FAULTS:
        g.faults.append((NAMED_FAULTS[str(named)], 0))
    elif named is not None:
        request.environ[NOTES]["contract_faults"] = [named]


def refusal_by_fault() -> Response | None:
    """Give the answer of a fault that refuses the request; None if the true one is to be made.

    Asked before the request is acted on: a test run that is refused is not started.
    """
    for fault, number in g.faults:
        if refuses(fault):
            return spoil(Response(), fault, number)
    return None


def end_faults(response: Response) -> Response:
    """Put the other faults of the request at hand into its answer.

    Those that break it off come last, and of them only the first: behind it nothing is sent.
    """
    faults = g.get("faults", ())
    if faults:
        request.environ[NOTES]["faults"] = [fault["kind"] for fault, _number in faults]
    spoiling = [one for one in faults if not refuses(one[0])]
    breaking = [one for one in spoiling if breaks_off(one[0])]
    for fault, number in [*(one for one in spoiling if one not in breaking), *breaking[:1]]:
        response = spoil(response, fault, number)
    return response
