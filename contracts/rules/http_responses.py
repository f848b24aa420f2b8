"""Rules about the form of any response: JSON, envelope, status, error body."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import MISSING, Exchange, Intent
from deadringer.contracts.validation import is_valid
from deadringer.contracts.violations import Severity, pointer_to

from .conditions import (
    LOOSE,
    TOO_MANY_REQUESTS,
    UNKNOWN,
    error_code,
    excerpt,
    has_body,
    has_json,
    is_error,
    is_gateway_refusal,
    lacks_good_key,
    lacks_method,
    responded,
    schema_mismatches,
)
from .json_values import members, shown, text
from .model import Context, Group, Mismatch, Scope, rule

CODES = {
    400: frozenset({"VALIDATION_ERROR", "BAD_REQUEST"}),
    401: frozenset({"AUTH_REQUIRED", "INVALID_API_KEY", "TOKEN_EXPIRED"}),
    403: frozenset({"FORBIDDEN", "SUBSCRIPTION_INACTIVE", "INSUFFICIENT_CREDITS"}),
    404: frozenset({"NOT_FOUND"}),
    409: frozenset({"CONFLICT"}),
    429: frozenset({"RATE_LIMITED"}),
}
_CODED_STATUSES = frozenset({400, 401, 403, 404, 429})
_KNOWN_CODES = frozenset().union(*CODES.values())
_ERRORS_PAGE = "Errors: all error responses have one shape"
_VALIDATED_ELSEWHERE = frozenset({Intent.BAD_QUERY, Intent.BAD_BODY})


def _is_detail(exchange: Exchange) -> bool:
    is_read = exchange.operation_id == "getExecution" and exchange.method == "GET"
    data = members(exchange.body).get("data") if has_json(exchange) else None
    return is_read and exchange.succeeded and isinstance(data, dict)


@rule(
    "DR001",
    group=Group.IDENTITY,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Execution Detail, `run_id`, `workflow_id` and the path parameters",
    when=responded(_is_detail),
    needs="a run that can be read",
)
def detail_is_of_the_run_asked_for(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """Execution Detail returns the run and the workflow of its path.

    A client stores the response under the requested id. Example: `run_p3n8q1` in the response to a
    request for `run_x7k9m2`.
    """
    data = exchange.body["data"]
    for name, parameter in (("run_id", "runId"), ("workflow_id", "id")):
        returned, requested = text(data.get(name)), exchange.path_parameters.get(parameter)
        if returned is not None and requested is not None and returned != requested:
            yield Mismatch(
                pointer_to("data", name),
                f"{shown(requested)}, as in the path",
                shown(returned),
                "look the run up by both ids of the path",
                Severity.WARNING if exchange.intent in LOOSE - {Intent.NEAR_ID} else None,
            )


def _has_success(exchange: Exchange) -> bool:
    is_final = not 300 <= exchange.status < 400
    body = exchange.body if is_final and has_json(exchange) else None
    return isinstance(members(body).get("success"), bool)


@rule(
    "DR003",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Execution Detail, example; Errors: `success` is false",
    when=responded(_has_success),
    needs="a response with `success`",
)
def success_goes_with_the_status(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """`success` is true exactly if the status is 2xx.

    Some clients read the status, others `success`; both must agree. The schema validates error
    bodies without the member. Example: 200 with `success` false.
    """
    if exchange.body["success"] is not exchange.succeeded:
        yield Mismatch(
            "/success",
            f"{shown(exchange.succeeded)} on status {exchange.status}",
            shown(exchange.body["success"]),
            "derive `success` from the status",
        )


def _has_message(exchange: Exchange) -> bool:
    body = members(exchange.body) if has_json(exchange) else {}
    return body.get("message") is not None


@rule(
    "DR004",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Inferred from the examples of List Workflows and Get Workflow: `message`",
    when=responded(_has_message),
    needs="a response with `message`",
)
def message_is_a_text(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """`message`, if present, is a non-empty text.

    Clients show it unchanged. Example: an empty text, or an object.
    """
    message = exchange.body["message"]
    if not isinstance(message, str) or not message:
        fix = "send a sentence, or leave `message` out"
        yield Mismatch("/message", "a non-empty text", shown(message), fix)


def _should_be_json(exchange: Exchange) -> bool:
    is_final = not 300 <= exchange.status < 400
    # Rule DR050 validates responses to edge-case ids.
    is_edge_case = exchange.intent is Intent.EDGE_CASE_ID and is_error(exchange)
    if lacks_method(exchange):
        return False
    return has_body(exchange) and is_final and not is_edge_case


@rule(
    "DR102",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="RFC 8259; all documented responses are JSON; client code handles a 403 that is not",
    when=responded(_should_be_json),
)
def answers_are_json(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """Every response is JSON, with a JSON content type.

    Clients parse the body before they inspect it, and JSON.parse refuses what RFC 8259 does: NaN,
    Infinity, a byte order mark, text after the value, bytes that are not UTF-8. `application/json`
    and types ending in `+json` are accepted, with any parameters. A 403 of a gateway is only a
    warning. Example: an HTML page with status 404.
    """
    is_refused = is_error(exchange) and exchange.intent in LOOSE
    severity = Severity.WARNING if is_refused or is_gateway_refusal(exchange) else None
    content_type = exchange.response_headers.get("content-type", "")
    if exchange.body is MISSING:
        fix = "respond with a JSON body in every case, errors included"
        yield Mismatch("", "a JSON body", excerpt(exchange), fix, severity)
    elif not _is_json_type(content_type):
        fix = "send `Content-Type: application/json`"
        got = shown(content_type) if content_type else "no content type"
        yield Mismatch("", "a JSON content type", got, fix, severity)


def _is_json_type(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


@rule(
    "DR103",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Errors: no 5xx is documented",
    when=responded(),
)
def no_server_errors(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """No request makes the server fail.

    Every error of a request has a documented 4xx status. 501 for a method that no operation has is
    allowed. Example: 500 for an id with an emoji in it.
    """
    if exchange.status >= 500 and not lacks_method(exchange):
        known_gap = exchange.status == 501 and exchange.intent is Intent.WRONG_METHOD
        fix = "look for the cause in the server's log at the time of the request"
        severity = Severity.WARNING if known_gap else None
        yield Mismatch("", "a status below 500", f"status {exchange.status}", fix, severity)


@rule(
    "DR104",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="No operation documents a redirect",
    when=responded(),
)
def no_redirects(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """No request is redirected.

    Many clients do not follow redirects, or drop their key. 304 is not a redirect. Redirects of
    edge-case requests are only a warning. Example: 308 to the same path with a slash at its end.
    """
    if 300 <= exchange.status < 400 and exchange.status != 304:
        fix = "respond at the documented path itself"
        severity = Severity.WARNING if exchange.intent in LOOSE else None
        yield Mismatch("", "no redirect", f"status {exchange.status}", fix, severity)


def _has_own_rule(exchange: Exchange) -> bool:
    """Return whether another rule validates the error body: DR045, DR047, DR050 or DR051."""
    if exchange.status == TOO_MANY_REQUESTS:
        return True
    if exchange.status == 401 and lacks_good_key(exchange):
        return True
    return exchange.status == 404 and exchange.intent in UNKNOWN and exchange.carries_key


def _has_error_body(exchange: Exchange) -> bool:
    is_edge_case = exchange.intent is Intent.EDGE_CASE_ID and exchange.status < 500
    is_plain = is_error(exchange) and has_json(exchange) and not is_edge_case
    return is_plain and not _has_own_rule(exchange)


@rule(
    "DR105",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source=_ERRORS_PAGE,
    when=responded(_has_error_body),
    needs="an error response",
)
def error_bodies_have_the_documented_shape(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """Error bodies have the documented shape: `success`, and `error` with code and message.

    With one shape for all errors, a client needs one handler. The older form of a 401 is accepted.
    Mismatches in 5xx errors and in responses to edge-case requests are only warnings. Example:
    `{"error": "Bad Request"}` on a 400.
    """
    schema_name = "error_unauthorized" if exchange.status == 401 else "error"
    is_loose = exchange.status >= 500 or exchange.intent in LOOSE
    yield from schema_mismatches(exchange.body, schema_name, Severity.WARNING if is_loose else None)


def _has_coded_error(exchange: Exchange) -> bool:
    if exchange.status not in _CODED_STATUSES or not has_json(exchange):
        return False
    elsewhere = exchange.status != TOO_MANY_REQUESTS and _has_own_rule(exchange)
    has_own_rule = exchange.status == 400 and exchange.intent in _VALIDATED_ELSEWHERE
    return not elsewhere and not has_own_rule and is_valid(exchange.body, "error")


@rule(
    "DR106",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Errors, table of codes",
    when=responded(_has_coded_error),
    needs="an error response in the common shape",
)
def error_code_fits_status(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """An error has a code that is documented for its status.

    Clients branch on the code. An undocumented code on a 403 is only a warning. Example:
    VALIDATION_ERROR on a 404.
    """
    code, accepted = error_code(exchange), CODES[exchange.status]
    if code is None or code in accepted:
        return
    is_new = exchange.status == 403 and code not in _KNOWN_CODES
    yield Mismatch(
        "/error/code",
        f"{' or '.join(sorted(accepted))} on status {exchange.status}",
        shown(code),
        "choose status and code in one place",
        Severity.WARNING if is_new or exchange.intent in LOOSE else None,
    )


def _is_documented_operation(exchange: Exchange) -> bool:
    is_read = exchange.method == "GET" and exchange.intent is not Intent.WRONG_METHOD
    is_test = exchange.method == "POST" and exchange.operation_id == "testWorkflow"
    return exchange.succeeded and (is_read or is_test)


@rule(
    "DR150",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Every documented read, and Test Workflow: status 200",
    when=responded(_is_documented_operation),
    needs="a request that succeeds",
)
def good_answers_have_status_200(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A read that succeeds has the status 200, whatever the status of the run; a test run too.

    Clients compare with 200: 202 means that there is nothing to read yet, 206 that a part is
    missing. Example: 202 for a run that is still running.
    """
    if exchange.status != 200:
        fix = "respond with 200; the run's status is in the body"
        yield Mismatch("", "status 200", f"status {exchange.status}", fix)


RULES = (
    detail_is_of_the_run_asked_for,
    success_goes_with_the_status,
    message_is_a_text,
    answers_are_json,
    no_server_errors,
    no_redirects,
    error_bodies_have_the_documented_shape,
    error_code_fits_status,
    good_answers_have_status_200,
)
