"""The error body, the table of its codes, and the handlers that turn any failure into it."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask, Response, current_app, has_request_context, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from deadringer.contracts import JsonObject, json_bytes, nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger("deadringer")
SHOWN_LENGTH = 80
_CONTROL_ROOT = "/__mock/"


class ErrorKind(NamedTuple):
    """One error code: its status, and the default message and suggestion.

    `{specification}` is replaced by the path of the document that describes the operation.
    """

    status: int
    code: str
    message: str
    suggestion: str


ERROR_KINDS = (
    ErrorKind(
        400,
        "VALIDATION_ERROR",
        "Request failed validation",
        "Compare the request with {specification}",
    ),
    ErrorKind(
        400,
        "BAD_REQUEST",
        "The request is malformed",
        "Compare the request with {specification}",
    ),
    ErrorKind(401, "AUTH_REQUIRED", "No API key was sent", "Send your key in the x-api-key header"),
    ErrorKind(
        401,
        "INVALID_API_KEY",
        "The API key is not valid",
        "Check the key for typing errors, or create a new one",
    ),
    ErrorKind(401, "TOKEN_EXPIRED", "The token has expired", "Create a new key"),
    ErrorKind(
        403,
        "SUBSCRIPTION_INACTIVE",
        "The subscription is not active",
        "Renew the subscription in the billing settings",
    ),
    ErrorKind(403, "FORBIDDEN", "The key lacks the permission", "Ask for a key with more rights"),
    ErrorKind(403, "INSUFFICIENT_CREDITS", "There are not enough credits left", "Buy more credits"),
    ErrorKind(404, "NOT_FOUND", "There is no such resource", "Check the identifiers in the path"),
    ErrorKind(
        405,
        "METHOD_NOT_ALLOWED",
        "This path does not know the method",
        "Use a method of the Allow header",
    ),
    ErrorKind(409, "CONFLICT", "The request conflicts with the present state", "Read it again"),
    ErrorKind(429, "RATE_LIMITED", "Rate limit exceeded", "Wait for RateLimit-Reset seconds"),
    ErrorKind(
        500,
        "INTERNAL_ERROR",
        "The server failed to answer this request",
        "Try again; if it persists, report the request and its time",
    ),
    ErrorKind(
        507,
        "INSUFFICIENT_STORAGE",
        "cannot write state: no space left",
        "Free space where the file of --state is, then send the request again",
    ),
    ErrorKind(503, "API_OFF", "The service is switched off", "Try again later"),
    ErrorKind(
        503,
        "STATE_UNREACHABLE",
        "The shared state cannot be reached",
        "Try again after Retry-After seconds",
    ),
)
"""Codes and statuses as documented; the mock adds METHOD_NOT_ALLOWED, INTERNAL_ERROR,
INSUFFICIENT_STORAGE and STATE_UNREACHABLE.

The first kind of a status is its default.
"""

KINDS_BY_CODE = {kind.code: kind for kind in ERROR_KINDS}


def error_body(
    code: str,
    message: str,
    suggestion: str | None = None,
    *,
    details: JsonObject | None = None,
    more: JsonObject | None = None,
) -> JsonObject:
    """Return the documented error body; every error response is built here.

    `more` are further members of `error`.
    """
    error = {"code": code, "message": message, "details": details, "suggestion": suggestion}
    return {"success": False, "error": {**error, **(more or {})}}


class ApiError(Exception):
    """An error response; raise it anywhere below a view.

    `code` is one of the table, or a kind outside of it. Omitted parts are taken from the kind;
    `more` are further members of `error`.
    """

    def __init__(
        self,
        code: str | ErrorKind,
        message: str | None = None,
        suggestion: str | None = None,
        *,
        details: JsonObject | None = None,
        more: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = code if isinstance(code, ErrorKind) else KINDS_BY_CODE[code]
        super().__init__(message or self.kind.code)
        self.message = message or self.kind.message
        self.suggestion = suggestion or self.kind.suggestion.format(
            specification=_specification_path()
        )
        self.details = details
        self.more = more or {}
        self.headers = dict(headers or {})

    @property
    def body(self) -> JsonObject:
        """The documented error body."""
        return error_body(
            self.kind.code,
            self.message,
            self.suggestion,
            details=self.details,
            more=self.more,
        )


def refusal_body(status: int, message: str, fix: str) -> bytes:
    """Return the body of an error response that the HTTP server itself sends."""
    kind = kind_of_status(status) if status >= 500 else None
    code = kind.code if kind else "BAD_REQUEST"
    return json_bytes(error_body(code, message, fix), compact=False)


def kind_of_status(status: int) -> ErrorKind | None:
    """Return the default kind of a status, None where the table has none."""
    return next((kind for kind in ERROR_KINDS if kind.status == status), None)


def error_response(error: ApiError, status: int | None = None) -> Response:
    """Return the response for an error; `status` overrides the one of its code."""
    response = Response(
        json_bytes(error.body, compact=False),
        status=status or error.kind.status,
        mimetype="application/json",
    )
    response.headers.update(error.headers)
    return response


def add_error_handlers(app: Flask, shown: "Callable[[str], str]") -> None:
    """Return the error body for every failure; `shown` redacts keys in echoed values."""

    def handle_http_error(failure: HTTPException) -> Response:
        status = failure.code or HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(failure, MethodNotAllowed):
            return error_response(_method_not_allowed(failure))
        if status == HTTPStatus.NOT_FOUND:
            return error_response(_unknown_path(shown))
        code = "BAD_REQUEST" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "INTERNAL_ERROR"
        return error_response(ApiError(code, failure.description), status)

    def handle_crash(failure: Exception) -> Response:
        raised = getattr(failure, "original_exception", None)
        if isinstance(raised, ApiError):  # after the view, where Flask does not handle it
            return error_response(raised)
        LOG.error("The server failed at %s", shown(request.path), exc_info=failure)
        return error_response(ApiError("INTERNAL_ERROR"))

    app.register_error_handler(ApiError, error_response)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(Exception, handle_crash)


def shorten(text: str) -> str:
    """Return a text cut to a length that fits into a message."""
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def _method_not_allowed(failure: MethodNotAllowed) -> ApiError:
    allowed = ", ".join(sorted(failure.valid_methods or ()))
    return ApiError(
        "METHOD_NOT_ALLOWED",
        f"{shorten(request.method)} is not known here",
        f"Use one of {allowed}",
        headers={"Allow": allowed},
    )


def _unknown_path(shown: "Callable[[str], str]") -> ApiError:
    requested = shown(request.path)
    suggestion = f"The paths are listed in {_specification_path()}"
    if requested.startswith(_CONTROL_ROOT):
        suggestion = (
            _near_of_control(requested) or "The control API is off: start without --no-control"
        )
    return ApiError("NOT_FOUND", f"There is no path '{shorten(requested)}'", suggestion)


def _near_of_control(requested: str) -> str:
    """Return a sentence with the nearest paths of the control API, "" if it has none."""
    rules = dict.fromkeys(rule.rule for rule in current_app.url_map.iter_rules())
    paths = [one.replace("<", "{").replace(">", "}") for one in rules]
    if f"{_CONTROL_ROOT}openapi.json" not in paths:
        return ""
    near = nearest_names(requested, [one for one in paths if one.startswith(_CONTROL_ROOT)])
    return f"Nearest: {', '.join(near)}; all are in {_specification_path()}" if near else ""


def _specification_path() -> str:
    is_control = has_request_context() and request.path.startswith(_CONTROL_ROOT)
    return f"{_CONTROL_ROOT}openapi.json" if is_control else "/openapi.json"
