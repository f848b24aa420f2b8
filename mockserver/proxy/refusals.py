"""Errors of the proxy itself, in the documented error body."""

from collections.abc import Callable

from deadringer.contracts import Failure, printable
from deadringer.mockserver.errors import ApiError, ErrorKind, shorten

from .unmatched import NoRecording
from .upstream import Upstream, UpstreamError

BAD_GATEWAY = ErrorKind(502, "BAD_GATEWAY", "", "")
GATEWAY_TIMEOUT = ErrorKind(504, "GATEWAY_TIMEOUT", "", "")
NOT_RECORDED = ErrorKind(502, "NOT_RECORDED", "", "")
NO_WEBSOCKET = ErrorKind(501, "NOT_IMPLEMENTED", "", "")

_FIXES = {
    Failure.REFUSED: "Start the server at {url}, or start the proxy with another address",
    Failure.UNKNOWN_HOST: "Correct the host name in {url}",
    Failure.UNTRUSTED: "Trust its certificate with --ca-file FILE, or any with --insecure",
    Failure.NO_TLS: "Use http:// if the server has no TLS, and else check its certificate",
    Failure.TIMED_OUT: "Try again, or allow the server more time with --timeout SECONDS",
    Failure.PROXY: "Check HTTPS_PROXY and HTTP_PROXY, or start with --no-proxy",
}
_OTHER_FIX = "Look for the cause in the log of the server at {url}"


def unreachable(error: UpstreamError, upstream: Upstream) -> ApiError:
    """Return the 502 or 504 for a request that the upstream did not respond to."""
    cause = f" ({printable(error.cause)})" if error.cause not in {"", error.failure} else ""
    return ApiError(
        GATEWAY_TIMEOUT if error.failure is Failure.TIMED_OUT else BAD_GATEWAY,
        f"The upstream {printable(upstream.base_url)} sent no response: {error.failure}{cause}",
        _FIXES.get(error.failure, _OTHER_FIX).format(url=printable(upstream.base_url)),
    )


def no_recording(
    missing: NoRecording, error: UpstreamError | None, redact: Callable[[str], str]
) -> ApiError:
    """Return the response to a request that no recording matches, with the nearest ones.

    Without a key it is the 401 of the service. Otherwise it is a 502: a 404 would state that the
    service has no such run, which a recording does not show.
    """
    if missing.lacks_key:
        return ApiError("AUTH_REQUIRED")
    near = [
        {"request": redact(one.label), "differs": [redact(reason) for reason in one.reasons]}
        for one in missing.nearest
    ]
    why = f", and the upstream sent no response: {error.failure}" if error else ""
    return ApiError(
        NOT_RECORDED,
        f"The recording has no response to {redact(shorten(missing.label))}{why}",
        "Send one of the requests in details.nearest, or record this one with --record DIR",
        details={"nearest": near},
        headers={"Cache-Control": "no-store"},
    )


def no_such_operation(path: str) -> ApiError:
    """Return the 404 for a path that no operation of the API has."""
    return ApiError(
        "NOT_FOUND",
        f"No operation of the API has the path '{shorten(printable(path))}'",
        "Start the proxy with --other-paths pass to forward such requests too",
    )


def no_websocket() -> ApiError:
    """Return the 501 for a request that would open a WebSocket."""
    return ApiError(
        NO_WEBSOCKET,
        "The proxy does not forward WebSocket connections",
        "Open the WebSocket at the upstream's own address",
    )
