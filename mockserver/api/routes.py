"""Add the routes of the specification, authentication and the hooks around them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from deadringer.contracts import Operation, documented_codes, operations
from deadringer.mockserver.context import RequestContext, context_of_request, is_api_path
from deadringer.mockserver.errors import ApiError, error_response
from deadringer.mockserver.server.wire import pause
from deadringer.mockserver.state.rate_windows import Caller
from deadringer.mockserver.world.reserved_ids import reserved_preferences
from deadringer.mockserver.world.scenarios.examples import scripted_names
from deadringer.mockserver.world.service import Service

from .auth import is_known_key, require_known_key
from .contract_faults import apply_contract_faults
from .faults import begin_faults, end_faults, fault_names, prefer_fault, refusal_by_fault
from .http import compressing, set_freshness
from .in_process import InProcessApi
from .middleware.cache import mark_cacheable
from .prefer import delay_ms, preferred_error, read_preferences
from .preferred_execution import good_response
from .views import VIEWS, View

if TYPE_CHECKING:
    from deadringer.mockserver.faults.contract import ContractFault


def add_api(
    app: Flask,
    service: Service,
    own_requests: InProcessApi,
    contract_faults: Sequence["ContractFault"],
) -> None:
    """Add every operation, the checks before it and the headers after it.

    `contract_faults` apply to every response, beside those that a session or a request chooses;
    `own_requests` sends their requests.
    """
    for operation in operations():
        app.add_url_rule(
            operation.path.replace("{", "<").replace("}", ">"),
            operation.operation_id,
            _view_function(operation, VIEWS[operation.operation_id], service),
            methods=[operation.method],
        )
    app.before_request(lambda: _admit(service))
    # Flask calls them in reverse order.
    app.after_request(lambda response: mark_cacheable(service, response))
    app.after_request(_mark_streamed)
    app.after_request(end_faults)
    app.after_request(_set_freshness)
    app.after_request(compressing(app))
    app.after_request(set_preferences)
    app.after_request(
        lambda response: apply_contract_faults(service, own_requests, contract_faults, response)
    )
    app.after_request(_set_window)
    app.after_request(bare_options)


def _view_function(operation: Operation, view: View, service: Service) -> Any:
    codes = documented_codes(operation.operation_id)
    documented = list(codes)

    def handle(**path: str) -> Response:
        context = context_of_request()
        names = {
            "error": lambda: [code for of_status in codes.values() for code in of_status],
            "fault": fault_names,
            "example": lambda: scripted_names(
                context.snapshot.session.scenario, service.settings.seed
            ),
        }
        reserved = _reserved(context, path)
        context.preferences = preferences = read_preferences(context, documented, names, reserved)
        preferred = _preferred(service, context) if preferences.wanted else None
        if preferred is not None:
            return preferred
        try:
            return view(service, context, path)
        except ApiError as error:
            is_wanted = preferences.apply("code") == HTTPStatus.OK
            if error.kind.status != HTTPStatus.NOT_FOUND or not is_wanted:
                raise
            return good_response(service, context, operation, path)

    return handle


def _preferred(service: Service, context: RequestContext) -> Response | None:
    """Wait for the preferred delay; return the preferred error response, None for none."""
    delay = delay_ms(context.preferences)
    if delay and not context.is_internal:
        pause(delay / 1000)
    prefer_fault(context)
    refusal = refusal_by_fault(context)
    if refusal is not None:
        return refusal
    preferred = preferred_error(context.preferences)
    if preferred is None:
        return None
    if preferred.kind.status == HTTPStatus.TOO_MANY_REQUESTS and context.window is not None:
        preferred = service.rate_limits.refusal(context.window)
    return error_response(preferred)


def _reserved(context: RequestContext, path: Mapping[str, str]) -> Mapping[str, str]:
    """Return the preferences of reserved ids in the path; none under an unknown workflow."""
    snapshot = context.snapshot
    if path.get("id") not in snapshot.repository.workflows:
        return {}
    workflow_id = path["id"] if snapshot.is_reserved else ""
    return reserved_preferences(context.operation, workflow_id, path.get("runId", ""))


def _admit(service: Service) -> Response | None:
    """Count the request and check its key, before anything about existence is disclosed.

    A preflight has no key, so OPTIONS passes uncounted.
    """
    context = context_of_request()
    if not is_api_path(context.path) or context.method == "OPTIONS":
        return None
    context.path_parameters = request.view_args or {}
    context.operation = request.endpoint or ""
    context.is_known_key = is_known_key(context.key, service.settings.api_keys)
    context.require_session_name()
    workflow_id = context.path_parameters.get("id", "")
    context.snapshot = service.narrowed(context.snapshot, workflow_id)
    begin_faults(service, context)
    if service.settings.rate_limit != "off" and not context.is_internal:
        _count(service, context)
    refusal = refusal_by_fault(context)  # a gateway in front of a service checks no key
    if refusal is None:
        require_known_key(context.key, known=context.is_known_key)
    return refusal


def _count(service: Service, context: RequestContext) -> None:
    """Count the request in the window of its caller, unless the response cache did.

    Raises:
        ApiError: RATE_LIMITED if it is beyond an enforced limit.
    """
    session, clock = context.snapshot.session, context.snapshot.clock
    # An unknown key gets no window of its own: made-up keys must not bypass the limit.
    is_known = context.is_known_key
    kind, name = ("key", context.key) if is_known else ("ip", request.remote_addr or "unknown")
    context.caller = Caller(f"{session.name}#{session.begun}", kind, name)
    if context.window is None:
        moment = context.snapshot.now
        context.window = service.rate_limits.count(moment, context.caller, clock.speed)
    if context.window.is_refused:
        raise service.rate_limits.refusal(context.window)


def _mark_streamed(response: Response) -> Response:
    context_of_request().is_streamed = response.is_streamed
    return response


def set_preferences(response: Response) -> Response:
    """Return the response with a header that names the preferences it honours."""
    applied = context_of_request().preferences.applied_to(response.status_code)
    if applied:
        response.headers["Preference-Applied"] = applied
    return response


def _set_freshness(response: Response) -> Response:
    return set_freshness(response) if is_api_path(request.path) else response


def _set_window(response: Response) -> Response:
    window = context_of_request().window
    if window is not None:
        response.headers.update(window.header_items)
    return response


def bare_options(response: Response) -> Response:
    """Return 204 for OPTIONS, without body and Content-Type."""
    if request.method == "OPTIONS" and response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.NO_CONTENT
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response
