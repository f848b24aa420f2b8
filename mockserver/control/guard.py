"""Who may use the control API: whoever holds the token, or, without one, pages of this machine."""

from urllib.parse import urlsplit

from flask import Response, request

from mockserver.errors import ApiError
from mockserver.service import Service

ROOT = "/__mock/"
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def guard(service: Service) -> None:
    """Refuse pages of other sites, and, if a token is set, whoever lacks it.

    Raises:
        ApiError: AUTH_REQUIRED or FORBIDDEN.
    """
    if not request.path.startswith(ROOT) or request.method == "OPTIONS":
        return
    token = service.settings.control_token
    if token is not None:
        if request.headers.get("X-Mock-Token") != token:
            raise ApiError(
                "AUTH_REQUIRED", "The control token is missing or wrong", "Send X-Mock-Token"
            )
        return
    origin = request.headers.get("Origin")
    if origin and not _is_local(origin):
        raise ApiError(
            "FORBIDDEN",
            "Pages of other sites may not steer this mock",
            "Serve the page from localhost, or start with --control-token",
        )


def share(response: Response) -> Response:
    """Let pages of this machine, and those that hold the token, use the control API."""
    origin = request.headers.get("Origin")
    if request.path.startswith(ROOT) and origin and (_is_local(origin) or "*" in origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = (
            "Content-Type, X-Mock-Session, X-Mock-Token"
        )
    return response


def preflight(_any: str) -> Response:
    """Answer a browser's question before its request; the headers come from `share`."""
    return Response(status=204)


def _is_local(origin: str) -> bool:
    return (urlsplit(origin).hostname or "") in _LOCAL
