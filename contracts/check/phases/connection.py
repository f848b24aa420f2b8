"""The first request: does a server respond there, and does it accept the key?"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from deadringer.contracts.check.access import without_credentials
from deadringer.contracts.check.http.failures import WORDS, failure_in_words
from deadringer.contracts.check.session import CheckSession
from deadringer.contracts.exchanges import MISSING, Exchange, Failure
from deadringer.contracts.specification import operations
from deadringer.contracts.violations import printable


@dataclass(frozen=True, slots=True)
class Contact:
    """The result of the first request.

    `problem` states why the check cannot continue and what to do; `hint` states what may be wrong
    if no run can be read later. Both are empty after a successful request.
    """

    problem: str = ""
    hint: str = ""


def connect(session: CheckSession) -> Contact:
    """Send the first request and return its result.

    Where that one fails, another operation is asked too: one that never responds is a finding, a
    server that cannot be reached is not.
    """
    options = session.options
    first = _ask_run(session) if options.run_ids else _ask_list(session)
    problem = _trouble(session, first)
    if problem and first.failure not in _NO_WAY:
        second = _ask_list(session) if options.run_ids else _ask_run(session)
        problem = _trouble(session, second)
        if not problem:
            first = _asked_again(session, first)
    if problem:
        session.recorder.withdraw()
        return Contact(problem)
    if first.status == 401:
        return Contact(
            "the server rejects the key. Pass a valid one with --api-key or DEADRINGER_API_KEY."
        )
    if first.status == 404:
        return Contact(hint=_hint_at_prefix(options.base_url, first.path))
    return Contact()


_NO_WAY = frozenset(
    {Failure.REFUSED, Failure.UNTRUSTED, Failure.NO_TLS, Failure.UNKNOWN_HOST, Failure.PROXY}
)
"""Failures before anything is asked: a second request would meet the same."""
_GATEWAY = frozenset({400, 401, 403, 407, 502, 503, 504})


def _asked_again(session: CheckSession, first: Exchange) -> Exchange:
    """Return the first request's exchange, or a new one if that succeeds.

    A server that has just started may be slow once, and a gateway may fail once.
    """
    is_run = first.operation_id == "getExecution"
    again = _ask_run(session) if is_run else _ask_list(session)
    if _trouble(session, again):
        return first
    session.recorder.withdraw()
    what = first.failure or f"status {first.status}"
    session.notes.append(f"the first request failed ({what}) and succeeded when repeated")
    return again


def _ask_run(session: CheckSession) -> Exchange:
    options = session.options
    ids = {"id": (*options.workflow_ids, "wf")[0], "runId": (*options.run_ids, "run")[0]}
    return session.request("getExecution", ids)


def _ask_list(session: CheckSession) -> Exchange:
    if not session.offers("listWorkflows"):
        return _ask_run(session)
    exchange = session.request("listWorkflows", optional=True)
    session.absent.discard("listWorkflows")
    return exchange


def _trouble(session: CheckSession, exchange: Exchange) -> str:
    """Return why the server cannot be checked and what to do; empty if it can."""
    proxy = session.client.proxy
    place = session.options.base_url
    if proxy:
        place += f" through the proxy {without_credentials(proxy)}"
    if exchange.failure is not None and exchange.status == 0 and exchange.failure in WORDS:
        return failure_in_words(
            exchange.failure,
            exchange.cause,
            place,
            of_url="BASE_URL",
            has_proxy=proxy is not None,
            is_https=session.options.base_url.startswith("https:"),
            wait="; --wait-for SECONDS waits",
            longer=f", or allow more than {session.options.timeout_s:g} s: --timeout",
        )
    if exchange.failure is None and exchange.status in _GATEWAY and exchange.body is MISSING:
        return _refused_by_gateway(exchange, place)
    return ""


def _refused_by_gateway(exchange: Exchange, place: str) -> str:
    lines = exchange.response_body[:2000].decode("utf-8", "replace").splitlines()
    first = next((line.strip() for line in lines if line.strip()), "an empty body")
    shown = f"{exchange.status} {_phrase(exchange.status)}".strip()
    fix = (
        "Ask again when it is up, or wait for it with --wait-for SECONDS"
        if exchange.status >= 500
        else "If it asks for a header, pass that with --header NAME:VALUE"
    )
    return (
        f"{place} is refused by a gateway, not by the API: status {shown}, not JSON: "
        f"{printable(first)[:120]!r}. {fix}."
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def wait_for_server(
    session: CheckSession, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> str:
    """Send requests until the server responds, for `wait_s` at most; return why it did not."""
    options = session.options
    ends_at_s = now_s() + options.wait_s
    while (left_s := ends_at_s - now_s()) > 0:
        if session.client.is_up(left_s):
            session.client.restart_clock()
            return ""
        sleep(min(_WAIT_STEP_S, max(0.0, ends_at_s - now_s())))
    return (
        f"{options.base_url} was not up within {options.wait_s:g} s. "
        "Start the server, correct BASE_URL, or increase --wait-for."
    )


_WAIT_STEP_S = 0.5


def _hint_at_prefix(base_url: str, path: str) -> str:
    """Return what may be wrong with the base URL if the first request got 404."""
    requested = base_url.rstrip("/") + path
    (segment,) = {one.path.split("/")[1] for one in operations()}
    if base_url.rstrip("/").endswith(f"/{segment}"):
        what = f"It ends in /{segment}, but every path of the contract starts with that"
    else:
        what = f"Every path of the contract is appended to it and starts with /{segment}"
    return f" Or correct BASE_URL. {what}: {requested} returned 404."
