"""The transport faults that apply to a request: those of its session, and the one it prefers."""

from datetime import UTC, datetime, timedelta

from flask import Response

from deadringer.contracts import JsonObject, format_timestamp
from deadringer.mockserver.context import RequestContext, context_of_request
from deadringer.mockserver.faults.transport import (
    NAMED_FAULTS,
    FaultScope,
    apply_fault,
    breaks_off,
    chaos_faults,
    is_due,
    matches,
    refuses,
    triggers,
)
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.sessions import Session


def fault_names() -> list[str]:
    """Return the names `Prefer: fault=` accepts: transport faults, then contract faults."""
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS  # few requests prefer one

    return [*sorted(NAMED_FAULTS), *sorted(fault.name for fault in CONTRACT_FAULTS)]


def begin_faults(service: Service, context: RequestContext) -> None:
    """Record the transport faults that apply to a request, and count it; called once."""
    session = context.snapshot.session
    faults = [fault for _, fault in faults_in_force(service, session)]
    if not faults or context.is_internal:
        return
    scope = FaultScope(
        context.path,
        context.method,
        context.operation,
        context.path_parameters.get("id", ""),
        context.key,
    )
    for fault in faults:
        if is_due(fault, context.snapshot.now) and matches(fault, scope):
            number = service.events.count(session.name, fault["id"])
            if triggers(fault, number):
                context.transport_faults.append((fault, number))


def faults_in_force(service: Service, session: Session) -> list[tuple[str, JsonObject]]:
    """Return the faults that may apply to a session's requests, each with its origin."""
    chaos = service.chaos(session)
    return [
        *(("chaos", fault) for fault in (chaos_faults(chaos) if chaos else ())),
        *(("scenario", fault) for fault in scenario_faults(session)),
        *(("session", fault) for fault in session.faults.values()),
    ]


def scenario_faults(session: Session) -> list[JsonObject]:
    """Return the faults of a session's scenario, on the timeline that began with it."""
    if session.scenario is None or not session.scenario.document.get("faults"):
        return []
    began = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=session.began_ms)
    return session.scenario.faults(format_timestamp(began))


def prefer_fault(context: RequestContext) -> None:
    """Record the transport fault a request prefers; contract faults are recorded earlier."""
    named = context.preferences.apply("fault")
    if named in NAMED_FAULTS and not context.is_internal:
        context.transport_faults.append((NAMED_FAULTS[str(named)], 0))


def refusal_by_fault(context: RequestContext) -> Response | None:
    """Return the response of a fault that refuses the request, None if no fault does.

    Called before the request has any effect, so that a refused test run is not started.
    """
    for fault, number in context.transport_faults:
        if refuses(fault):
            return apply_fault(Response(), fault, number)
    return None


def end_faults(response: Response) -> Response:
    """Apply the other transport faults of the current request to its response.

    Of the faults that end the connection only the first applies, after all others.
    """
    applied = [one for one in context_of_request().transport_faults if not refuses(one[0])]
    breaking = [one for one in applied if breaks_off(one[0])]
    for fault, number in [*(one for one in applied if one not in breaking), *breaking[:1]]:
        response = apply_fault(response, fault, number)
    return response
