"""Situations of HTTP: late, refused, damaged and missing responses."""

from collections.abc import Callable

from deadringer.contracts.exchanges import MISSING, Exchange, Failure
from deadringer.contracts.specification import documented_codes

from .model import DocumentedRequest, Situation, path_of, reads

SLOW_S = 1.0
_WORKFLOW = "wf_abc123"
_EXAMPLE = path_of(_WORKFLOW, "run_x7k9m2")


def _complete(matches: Callable[[Exchange], bool]) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.failure is None and matches(exchange)


def _is_refused(status: int) -> Callable[[Exchange], bool]:
    return _complete(
        lambda exchange: exchange.status == status and "retry-after" in exchange.response_headers
    )


def _is_not_json(exchange: Exchange) -> bool:
    return not exchange.has_unknown_body and exchange.body is MISSING


def _is_undocumented(exchange: Exchange) -> bool:
    documented = documented_codes(str(exchange.operation_id))
    return exchange.status >= 400 and exchange.status not in documented


def _failed(*failures: Failure, has_head: bool | None = None) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.failure in failures and has_head in {None, exchange.status > 0}


TRANSPORT_SITUATIONS = (
    Situation(
        "rate_limited",
        "429 with Retry-After",
        "Wait as long as the header states, then retry.",
        "`openapi.yaml`, response RateLimited",
        reads(_WORKFLOW, "run_429"),
        matches=_is_refused(429),
    ),
    Situation(
        "unavailable",
        "503 with Retry-After",
        "The service is switched off or overloaded; wait, then retry.",
        "`openapi.yaml`, response Unavailable",
        reads(_WORKFLOW, "run_503"),
        matches=_is_refused(503),
    ),
    Situation(
        "undocumented_error",
        "An error status that is not documented",
        "Gateways respond with 502 and 504 in place of the service.",
        "HTTP: RFC 9110, 15",
        (DocumentedRequest(_EXAMPLE, headers={"Prefer": "fault=error-502"}),),
        matches=_complete(_is_undocumented),
    ),
    Situation(
        "error_without_json",
        "An error whose body is not JSON",
        "An edge proxy responds in HTML; parsing it must not hide the status.",
        "client code: an edge proxy refuses some User-Agents with 403",
        (
            DocumentedRequest(
                path_of(_WORKFLOW, "run_unknown"), headers={"Prefer": "fault=html-not-found"}
            ),
        ),
        matches=_complete(lambda exchange: exchange.status >= 400 and _is_not_json(exchange)),
    ),
    Situation(
        "malformed_json",
        "A 200 whose body is damaged JSON",
        "The status is good and parsing fails.",
        "transport fault `malformed`",
        reads(_WORKFLOW, "run_malformed"),
        matches=_complete(lambda exchange: exchange.status == 200 and _is_not_json(exchange)),
    ),
    Situation(
        "connection_cut",
        "A connection that breaks off within the response",
        "The status arrives, the rest of the body does not: reset or truncated.",
        "transport faults `truncate`, `reset`, `wrong-length`",
        reads(_WORKFLOW, "run_truncated"),
        matches=_failed(Failure.DROPPED, has_head=True),
    ),
    Situation(
        "connection_closed",
        "A connection that closes without a response",
        "There is no status to branch on.",
        "transport fault `empty`",
        reads(_WORKFLOW, "run_empty_reply"),
        matches=_failed(Failure.DROPPED, Failure.REFUSED, has_head=False),
    ),
    Situation(
        "no_response",
        "No response in time",
        "A client without a time limit waits for ever.",
        "transport fault `hang`",
        (DocumentedRequest(path_of(_WORKFLOW, "run_never_answers"), timeout_s=1),),
        matches=_failed(Failure.TIMED_OUT),
    ),
    Situation(
        "not_http",
        "A response that is not HTTP",
        "The client's library raises an error of its own.",
        "transport fault `garbage`",
        (DocumentedRequest(_EXAMPLE, headers={"Prefer": "fault=garbage"}),),
        matches=_failed(Failure.MALFORMED),
    ),
    Situation(
        "slow_response",
        f"A response after {SLOW_S:g} second or more",
        "A page needs something to show meanwhile.",
        "transport fault `latency`",
        (DocumentedRequest(_EXAMPLE, headers={"Prefer": "delay=1100"}),),
        matches=_complete(lambda exchange: exchange.elapsed_s >= SLOW_S),
    ),
    Situation(
        "not_modified",
        "304: unchanged since the last read",
        "The response has no body; the cached one is still valid.",
        "HTTP: RFC 9110, 15.4.5",
        (DocumentedRequest(_EXAMPLE, headers={"If-None-Match": "*"}),),
        matches=_complete(lambda exchange: exchange.status == 304),
    ),
)
