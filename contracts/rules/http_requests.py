"""Rules about requests with a known intent: invalid ones are refused, ordinary ones succeed."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.violations import Severity

from .catalogue import sent_whole
from .conditions import (
    carries_key,
    error_code,
    has_intent,
    has_json,
    reached_the_service,
    responded,
)
from .json_values import elements, members, shown
from .list_shapes import paging_of
from .model import Context, Group, Mismatch, Scope, rule

PLAIN_READS = frozenset({"listWorkflows", "listActions", "getCreditBalance"})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_BAD_CODES = ("VALIDATION_ERROR", "BAD_REQUEST")


def _is_not_harmless(exchange: Exchange) -> bool:
    return exchange.method not in {"HEAD", "OPTIONS"}


@rule(
    "DR107",
    group=Group.HTTP,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source="Inferred: HTTP (RFC 9110), 405 and Allow",
    when=responded(has_intent(Intent.WRONG_METHOD), _is_not_harmless),
    needs="a request with a method the operation does not have",
)
def wrong_method_is_refused(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """An unsupported method is refused; a 405 lists the supported methods in `Allow`.

    If a DELETE gets the response of a GET, the client believes that it deleted something. Example:
    200 for DELETE, or 405 without `Allow`.
    """
    if exchange.succeeded:
        fix = "route by the method as well as by the path"
        yield Mismatch("", "status 404 or 405", f"status {exchange.status}", fix)
    elif exchange.status == 405 and not exchange.response_headers.get("allow", "").strip():
        yield Mismatch("", "header Allow on a 405", "no such header", "name the methods in `Allow`")


@rule(
    "DR112",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="List Workflow Executions, `page`, `page_size`; Errors, 400: VALIDATION_ERROR",
    when=responded(has_intent(Intent.BAD_QUERY), carries_key, reached_the_service),
    needs="a request with a parameter out of its range",
)
def bad_query_is_refused(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A query parameter out of its documented range gets 400 VALIDATION_ERROR.

    A client that silently receives a page of another size than requested loses data without
    noticing. The code BAD_REQUEST, and operations other than the list of runs, are only warnings.
    Example: 200 for `page_size=101`.
    """
    is_run_list = exchange.operation_id == "listExecutions"
    is_paging = bool({"page", "page_size"} & exchange.query.keys())
    severity = None if is_run_list and is_paging else Severity.WARNING
    if exchange.status != 400:
        fix = "check every parameter against its documented range before using it"
        yield Mismatch("", "status 400", f"status {exchange.status}", fix, severity)
        return
    code = error_code(exchange)
    if code is not None and code != "VALIDATION_ERROR":
        softer = Severity.WARNING if code == "BAD_REQUEST" else severity
        fix = "use VALIDATION_ERROR for values out of range"
        yield Mismatch("/error/code", "VALIDATION_ERROR", shown(code), fix, softer)


@rule(
    "DR113",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="List Workflow Executions, `page`, `total_count`, `total_pages`",
    when=responded(has_intent(Intent.PAGE_BEYOND_END), carries_key, reached_the_service),
    needs="a request for a page beyond the end",
)
def page_beyond_the_end_is_empty(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A page beyond the end gets 200 and has no rows.

    Clients that read pages until one is empty stop there. Another status is only a warning, because
    no sentence describes the end of a list. Example: the last page again.
    """
    if exchange.status != 200:
        fix, got = "return an empty list beyond the end", f"status {exchange.status}"
        yield Mismatch("", "status 200", got, fix, Severity.WARNING)
    elif has_json(exchange) and not _has_grown(exchange):
        data = members(members(exchange.body).get("data"))
        for name in ("executions", "items"):
            rows = elements(data.get(name))
            if rows:
                fix = "do not fall back to another page"
                yield Mismatch(f"/data/{name}", "no rows", f"{len(rows)} rows", fix)


def _has_grown(exchange: Exchange) -> bool:
    """Return whether the page is not beyond the end any more, by the total in the response."""
    page, size = (sent_whole(dict(exchange.query), name, 0) for name in ("page", "page_size"))
    total = paging_of(members(exchange.body).get("data")).total
    if total is None or not page or not size:
        return False
    return total[1] > (page - 1) * size


@rule(
    "DR114",
    group=Group.HTTP,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source="Errors, 400: VALIDATION_ERROR, BAD_REQUEST",
    when=responded(has_intent(Intent.BAD_BODY), carries_key, reached_the_service),
    needs="a request with a bad body",
)
def bad_body_is_refused(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A body that violates the documented schema gets 400.

    With the code VALIDATION_ERROR, or BAD_REQUEST if it cannot be read at all. Example: a test run
    started in a mode that does not exist.
    """
    code = error_code(exchange)
    if exchange.status != 400:
        fix = "check the body against its schema before acting on it"
        yield Mismatch("", "status 400", f"status {exchange.status}", fix)
    elif code is not None and code not in _BAD_CODES:
        yield Mismatch(
            "/error/code", " or ".join(_BAD_CODES), shown(code), "use one of these codes"
        )


def _is_plain_read(exchange: Exchange) -> bool:
    is_read = exchange.operation_id in PLAIN_READS and exchange.method == "GET"
    # A query may be refused.
    is_refused_query = exchange.status in {400, 422} and bool(exchange.query)
    return is_read and exchange.intent is Intent.READ and not is_refused_query


def _may_read(exchange: Exchange) -> bool:
    has_copy = exchange.status == 304 and bool(_CONDITIONS & exchange.request_headers.keys())
    return exchange.status not in {401, 403} and exchange.carries_key and not has_copy


@rule(
    "DR115",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="List Workflows, List Workflow Actions, Get Credit Balance: 200",
    when=responded(_is_plain_read, _may_read, reached_the_service),
    needs="an ordinary read",
)
def ordinary_reads_succeed(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A read with a valid key of a resource that always exists gets a 2xx status.

    The lists of workflows and actions, and the balance, need no id that could be wrong. Refusals
    because of the key or the rate limit are left out. Example: 404 for a list that is empty.
    """
    if not exchange.succeeded:
        fix = "return an empty list if there is nothing to list"
        yield Mismatch("", "a 2xx status", f"status {exchange.status}", fix)


RULES = (
    wrong_method_is_refused,
    bad_query_is_refused,
    page_beyond_the_end_is_empty,
    bad_body_is_refused,
    ordinary_reads_succeed,
)
