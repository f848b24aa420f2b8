"""Makes the routes of the API out of the specification, and guards them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request

from deadringer.contracts import Operation, operations
from deadringer.mockserver.context import API_ROOT, NOTES, SESSION_NAME, WINDOW, sent_key, split_key
from deadringer.mockserver.errors import ApiError, error_response, shorten
from deadringer.mockserver.server.wire import pause
from deadringer.mockserver.state.rate_limits import Window
from deadringer.mockserver.state.rate_windows import Caller
from deadringer.mockserver.world.reserved_ids import magic_preferences
from deadringer.mockserver.world.scenarios.examples import scripted_names
from deadringer.mockserver.world.service import Scene, Service

from .auth import is_known_key, require_known_key
from .faults import begin_faults, end_faults, fault_names, prefer_fault, refusal_by_fault
from .http import compressing, tell_freshness
from .middleware.cache import note_lasting
from .prefer import Preferences, preferred_error, read_preferences
from .preferred_execution import good_answer
from .views import VIEWS, View


def add_api(app: Flask, service: Service) -> None:
    """Add every operation, the guard before them and the headers after them."""
    for operation in operations():
        app.add_url_rule(
            operation.path.replace("{", "<").replace("}", ">"),
            operation.operation_id,
            _answering(operation, VIEWS[operation.operation_id], service),
            methods=[operation.method],
        )
    app.before_request(lambda: _admit(service))
    # The last one named here is the first to see an answer.
    app.after_request(lambda response: note_lasting(service, response))
    app.after_request(_note_form)
    app.after_request(end_faults)
    app.after_request(_tell_freshness)
    app.after_request(compressing(app))
    app.after_request(_tell_preferences)
    app.after_request(_tell_window)
    app.after_request(bare_options)


def is_api_path(path: str) -> bool:
    """Tell whether a key is needed there, even to learn that nothing is there."""
    return path == API_ROOT or path.startswith(f"{API_ROOT}/")


def _answering(operation: Operation, view: View, service: Service) -> Any:
    documented = sorted(int(status) for status in operation.described["responses"])

    names = {
        "fault": fault_names,
        "example": lambda: scripted_names(g.scene.session.scenario, service.settings.seed),
    }

    def good_or_documented(path: Mapping[str, str]) -> Response:
        try:
            return view(service, g.scene, path)
        except ApiError as error:
            is_wanted = g.preferences.apply("code") == HTTPStatus.OK
            if error.kind.status != HTTPStatus.NOT_FOUND or not is_wanted:
                raise
            return good_answer(service, g.scene, operation, path)

    def answer(**path: str) -> Response:
        preferences = read_preferences(
            operation.operation_id, documented, names, _reserved(operation, path)
        )
        g.preferences = preferences
        if preferences.delay_ms:
            pause(preferences.delay_ms / 1000)
        prefer_fault(preferences)
        return refusal_by_fault() or _preferred(service) or good_or_documented(path)

    return answer


def _preferred(service: Service) -> Response | None:
    """Give the error that the request prefers, None if it prefers none."""
    preferred = preferred_error(g.preferences)
    if preferred is None:
        return None
    if preferred.kind.status == HTTPStatus.TOO_MANY_REQUESTS and "window" in g:
        preferred = service.rate_limits.refusal(g.window)
    return error_response(preferred)


def _reserved(operation: Operation, path: Mapping[str, str]) -> Mapping[str, str]:
    """Give what reserved ids in the path stand for; none does under an unknown workflow."""
    scene: Scene = g.scene
    if path.get("id") not in scene.family.workflows:
        return {}
    workflow_id = path["id"] if scene.is_reserved else ""
    return magic_preferences(operation.operation_id, workflow_id, path.get("runId", ""))


def _admit(service: Service) -> Response | None:
    """Count the request and check its key, before anything is said about existence.

    A preflight carries no key, so OPTIONS passes uncounted.
    """
    if not is_api_path(request.path) or request.method == "OPTIONS":
        return None
    request.environ[NOTES] = {"path_parameters": request.view_args or {}}
    if request.endpoint:
        request.environ[NOTES]["operation"] = request.endpoint
    key, in_key = split_key(sent_key(request.headers))
    workflow_id = (request.view_args or {}).get("id", "")
    g.scene = service.scene(session_of_request() or in_key, workflow_id)
    begin_faults(service, g.scene.session, key)
    known = is_known_key(key, service.settings.api_keys)
    if service.settings.rate_limit != "off":
        # An unknown key gets no window of its own: inventing keys must not lift the limit.
        kind, name = ("key", key) if known else ("ip", request.remote_addr or "unknown")
        g.caller = Caller(f"{g.scene.session.name}#{g.scene.session.begun}", kind, name)
        counted: Window | None = request.environ.get(WINDOW)
        g.window = counted or service.rate_limits.count(
            g.scene.now, g.caller, service.session_clock(g.scene.session.name).speed
        )
        if g.window.is_refused:
            raise service.rate_limits.refusal(g.window)
    refusal = refusal_by_fault()  # whatever stands before the service asks for no key
    if refusal is None:
        require_known_key(key, known=known)
    return refusal


def session_of_request() -> str:
    """Give the session a request names, "" if it names none.

    Raises:
        ApiError: VALIDATION_ERROR if it is no name.
    """
    name = request.headers.get("X-Mock-Session")
    if name is None:
        return ""
    if not SESSION_NAME.fullmatch(name):
        shown = f"{shorten(name)!r}" if name else "what is empty"
        raise ApiError(
            "VALIDATION_ERROR",
            "Request has 1 validation error(s)",
            "Name the session by 1 to 64 of A-Z a-z 0-9 . _ -, or leave the header out",
            details={"errors": [f"X-Mock-Session: {shown} is no name of a session"]},
        )
    return name


def _note_form(response: Response) -> Response:
    if NOTES in request.environ:
        request.environ[NOTES]["is_streamed"] = response.is_streamed
    return response


def _tell_preferences(response: Response) -> Response:
    preferences: Preferences | None = g.get("preferences")
    told = preferences.applied_to(response.status_code) if preferences is not None else ""
    if told:
        response.headers["Preference-Applied"] = told
    return response


def _tell_freshness(response: Response) -> Response:
    return tell_freshness(response) if is_api_path(request.path) else response


def _tell_window(response: Response) -> Response:
    if "window" in g:
        response.headers.update(g.window.header_items)
    return response


def bare_options(response: Response) -> Response:
    """Answer OPTIONS with 204: there is no body, so there is no type of one."""
    if request.method == "OPTIONS" and response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.NO_CONTENT
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response
