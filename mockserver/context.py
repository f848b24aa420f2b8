"""The context of one request, computed once by the outermost layer and read by all others.

Path, key, session name and `Prefer` are parsed only here.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from flask import request
from werkzeug.datastructures import EnvironHeaders, Headers

from deadringer.contracts import JsonObject, Violation
from deadringer.mockserver.errors import ApiError, error_response, shorten
from deadringer.mockserver.faults.transport import API_ROOT, NAMED_FAULTS
from deadringer.mockserver.state.rate_limits import RateWindow
from deadringer.mockserver.state.rate_windows import Caller
from deadringer.mockserver.world.reserved_ids import CONTENT
from deadringer.mockserver.world.service import Service, Snapshot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTEXT = "deadringer.context"
"""Where the `RequestContext` is in a WSGI environment."""
SESSION_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
SESSION_HEADER = "X-Mock-Session"
SESSION_IN_KEY = "__session_"
"""`trig_…__session_NAME` is the key `trig_…` in the session NAME."""

HEALTH = "/__mock/health/"
"""Where the health of the server is; it is shown even if no session can be read."""
_PREFERENCE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~\w-]+)           # name
        \s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?  # value, a token or a quoted text
        [^,]*(?:,|$)                        # parameters of a preference are ignored
    """,
    re.VERBOSE | re.ASCII,
)


def path_of(environ: "WSGIEnvironment") -> str:
    """Return the decoded path of a request; `//v1` is `/v1`, as it is for Flask."""
    raw = str(environ.get("PATH_INFO", "")).lstrip("/")
    return "/" + raw.encode("latin-1", "replace").decode("utf-8", "replace")


def is_api_path(path: str) -> bool:
    """Return whether a path belongs to the API, where even a 404 requires a key."""
    return path == API_ROOT or path.startswith(f"{API_ROOT}/")


def key_and_session_of(headers: Headers) -> tuple[str, str]:
    """Return the key of a request ("" if it has none) and the session it names ("" for none).

    `x-api-key` precedes `Authorization: Bearer`, whose scheme may be in any case.
    """
    key = headers.get("x-api-key", "").strip()
    if not key:
        scheme, _, token = headers.get("Authorization", "").strip().partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else ""
    bare, _, name = key.partition(SESSION_IN_KEY)
    return (bare, name) if SESSION_NAME.fullmatch(name) else (key, "")


def parse_preferences(header: str) -> dict[str, str]:
    """Return name and value of each preference (RFC 7240); the first of repeated ones wins.

    Unknown preferences are included; the caller ignores them, as the RFC requires.
    """
    preferences: dict[str, str] = {}
    for written in _PREFERENCE.finditer(header):
        value = written[2] or ""
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        preferences.setdefault(written[1].lower(), value)
    return preferences


@dataclass(slots=True)
class Preferences:
    """The preferences of a request, validated; `applied` are those that the response honours."""

    wanted: Mapping[str, str] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)

    def apply(self, name: str) -> object:
        """Return a preference's value and record that it is honoured; None if it is not set."""
        written = self.wanted.get(name)
        if written is None:
            return None
        self.applied[name] = written
        if name == "dynamic":
            return True if written != "false" else None
        return int(written) if name in {"seed", "steps", "code"} else written

    def applied_to(self, status: int) -> str:
        """Return the value of `Preference-Applied` for a response of a status, "" for no header."""
        honoured = [
            f"{name}={value}"
            for name, value in self.applied.items()
            if (value == str(status) if name == "code" else status < 400 or name not in CONTENT)
        ]
        return ", ".join(honoured)


class CacheableBody(NamedTuple):
    """The body of a response that may be repeated until a time of the machine's clock.

    `until` is None where time alone never changes it.
    """

    body: bytes
    until: datetime | None


class RequestRecord(NamedTuple):
    """What the journal stores of a request beside what was sent."""

    operation: str | None = None
    path_parameters: Mapping[str, str] = {}
    matched: JsonObject | None = None
    faults: tuple[str, ...] = ()
    """The kinds of the transport faults applied to it."""
    contract_faults: tuple[str, ...] = ()
    """The contract faults in force for it."""
    is_proxied: bool = False
    """Whether another server decided about the request."""
    violations: tuple[Violation, ...] | None = None
    """Those of the response of that server, None if it was not validated."""


@dataclass(slots=True)
class RequestContext:
    """One request: what was sent, what applies to it, and how it was handled.

    The first group of fields is set when the request arrives, the second once its operation is
    known, the third while it is handled.
    """

    method: str
    path: str
    key: str
    """The key without the session name it may contain; "" for none."""
    session_name: str
    """"" for the default session, and where the header holds no valid name."""
    session_header: str | None
    snapshot: Snapshot
    prefer: Mapping[str, str]
    """The preferences of the `Prefer` header, not validated."""
    contract_faults: tuple[str, ...]
    """The contract faults in force: of the session, and the one the request prefers."""
    is_internal: bool = False
    """Whether the mock sent the request to itself. Such a request is neither counted nor journaled,
    is not delayed, gets no transport fault and changes no state."""

    session_problem: ApiError | None = None
    """Why the session cannot be loaded; `snapshot` is then that of the default one."""

    is_known_key: bool = False
    operation: str = ""
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    """The caller in whose rate window the request counts."""
    window: RateWindow | None = None
    preferences: Preferences = field(default_factory=Preferences)
    transport_faults: list[tuple[JsonObject, int]] = field(default_factory=list)
    """The faults that apply, each with the number of the request among those in its scope."""

    matched: JsonObject | None = None
    """The run that was served: its kind and name."""
    changed_by: tuple[str, ...] = ()
    """The contract faults that changed the response."""
    cacheable: CacheableBody | None = None
    repeat: Callable[[], None] | None = None
    """Counts a repetition of the response, once it is recorded for coverage."""
    is_streamed: bool = False
    is_quiet: bool = False
    """Whether the request is left out of the log unless it fails."""
    is_proxied: bool = False
    """Whether another server decides about the request."""
    violations: tuple[Violation, ...] | None = None
    """Those of the response of that server, None if it was not validated."""
    journal_number: int = 0
    """The number of its journal entry, 0 if it gets the next one at its end."""

    @property
    def is_reading_only(self) -> bool:
        """Whether counters are not changed: for HEAD, which shows what GET would return now."""
        return self.is_internal or self.method == "HEAD"

    def require_session(self) -> None:
        """Raise an error if the session cannot be loaded.

        Raises:
            ApiError: INTERNAL_ERROR, or what the state reported.
        """
        if self.session_problem is not None:
            raise self.session_problem

    def require_session_name(self) -> None:
        """Raise an error if the session header holds no valid name.

        Raises:
            ApiError: VALIDATION_ERROR.
        """
        name = self.session_header
        if name is None or SESSION_NAME.fullmatch(name):
            return
        shown = f"{shorten(name)!r}" if name else "what is empty"
        raise ApiError(
            "VALIDATION_ERROR",
            "Request has 1 validation error(s)",
            "Name the session by 1 to 64 of A-Z a-z 0-9 . _ -, or leave the header out",
            details={"errors": [f"{SESSION_HEADER}: {shown} is no name of a session"]},
        )

    def record(self) -> RequestRecord:
        """Return what the journal stores."""
        return RequestRecord(
            self.operation or None,
            self.path_parameters,
            self.matched,
            tuple(fault["kind"] for fault, _number in self.transport_faults),
            self.contract_faults,
            self.is_proxied,
            self.violations,
        )


def context_of_request() -> RequestContext:
    """Return the context of Flask's current request."""
    context: RequestContext = request.environ[CONTEXT]
    return context


def make_context(
    environ: "WSGIEnvironment", service: Service, problem: ApiError | None = None
) -> RequestContext:
    """Return the context of a request that has arrived.

    With a `problem`, its session cannot be loaded: no world and no faults of it apply.

    Raises:
        ApiError: if the session cannot be loaded.
    """
    headers = EnvironHeaders(environ)
    key, in_key = key_and_session_of(headers)
    sent = headers.get(SESSION_HEADER)
    name = in_key if sent is None else sent if SESSION_NAME.fullmatch(sent) else ""
    path = path_of(environ)
    is_health = path.startswith(HEALTH)
    snapshot = service.last_known_snapshot() if is_health or problem else service.snapshot(name)
    prefer = parse_preferences(environ["HTTP_PREFER"]) if "HTTP_PREFER" in environ else {}
    faults = () if problem else service.contract_faults(snapshot.session, snapshot.now)
    if "fault" in prefer and not problem:
        faults = tuple(dict.fromkeys([*faults, *_contract_faults_among([prefer["fault"]])]))
    return RequestContext(
        method=environ["REQUEST_METHOD"],
        path=path,
        key=key,
        session_name=name,
        session_header=None if is_health else sent,
        snapshot=snapshot,
        prefer=prefer,
        contract_faults=faults,
        session_problem=problem,
    )


def _contract_faults_among(names: Iterable[str]) -> list[str]:
    named = [name for name in names if name not in NAMED_FAULTS]
    if not named:
        return []
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS  # few requests prefer one

    known = {fault.name for fault in CONTRACT_FAULTS}
    return [name for name in named if name in known]


class ContextLayer:
    """WSGI middleware that adds the context of each request to its environment."""

    def __init__(self, application: "WSGIApplication", service: Service) -> None:
        self._application = application
        self._service = service

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request; an existing context is retained."""
        if CONTEXT not in environ:
            try:
                environ[CONTEXT] = self._context(environ)
            except ApiError as problem:  # not even the default session can be loaded
                return error_response(problem)(environ, start_response)
        return self._application(environ, start_response)

    def _context(self, environ: "WSGIEnvironment") -> RequestContext:
        """Return the context; the application reports a session that cannot be loaded.

        So that error is logged, journaled and readable for browsers, as any other.
        """
        try:
            return make_context(environ, self._service)
        except ApiError as problem:
            return make_context(environ, self._service, problem)
