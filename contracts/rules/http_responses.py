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
_JUDGED_CODES = frozenset({400, 401, 403, 404, 429})
_KNOWN_CODES = frozenset().union(*CODES.values())
_ERRORS_PAGE = "Errors: all error responses have one shape"
_NOT_JUDGED_HERE = frozenset({Intent.BAD_QUERY, Intent.BAD_BODY})


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
    """Execution Detail answers with the run and the workflow of its path.

    A client files the response under what it asked for. Example: `run_p3n8q1` in the response to
    a request for `run_x7k9m2`.
    """
    data = exchange.body["data"]
    for name, parameter in (("run_id", "runId"), ("workflow_id", "id")):
        told, requested = text(data.get(name)), exchange.path_parameters.get(parameter)
        if told is not None and requested is not None and told != requested:
            yield Mismatch(
                pointer_to("data", name),
                f"{shown(requested)}, as in the path",
                shown(told),
                "look the run up by both ids of the path",
                Severity.WARNING if exchange.intent in LOOSE else None,
            )


def _says_success(exchange: Exchange) -> bool:
    is_final = not 300 <= exchange.status < 400
    body = exchange.body if is_final and has_json(exchange) else None
    return isinstance(members(body).get("success"), bool)


@rule(
    "DR003",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Execution Detail, example; Errors: `success` is false",
    when=responded(_says_success),
    needs="an answer with `success`",
)
def success_goes_with_the_status(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """`success` is true exactly on a 2xx answer.

    Some clients look at the status, others at `success`; both must learn the same. An error body
    without the member is left to its schema. Example: 200 with `success` false.
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
    needs="an answer with `message`",
)
def message_is_a_text(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """`message`, where there is one, is a non-empty text.

    Clients show it as it is. Example: an empty text, or an object.
    """
    message = exchange.body["message"]
    if not isinstance(message, str) or not message:
        fix = "send a sentence, or leave `message` out"
        yield Mismatch("/message", "a non-empty text", shown(message), fix)


def _should_be_json(exchange: Exchange) -> bool:
    is_final = not 300 <= exchange.status < 400
    # Responses to odd ids have a rule of their own (DR050).
    is_odd = exchange.intent is Intent.EDGE_CASE_ID and is_error(exchange)
    return has_body(exchange) and is_final and not is_odd


@rule(
    "DR102",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="All documented answers are JSON; a 403 that is not was met in client code",
    when=responded(_should_be_json),
)
def answers_are_json(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """Every response is JSON, and says so in its content type.

    A client parses before it looks. `application/json` and types ending in `+json` count, with
    any parameters. A 403 of a gateway only warns. Example: an HTML page with status 404.
    """
    is_refused = is_error(exchange) and exchange.intent in LOOSE
    severity = Severity.WARNING if is_refused or is_gateway_refusal(exchange) else None
    content_type = exchange.response_headers.get("content-type", "")
    if exchange.body is MISSING:
        fix = "answer with a JSON body in every case, errors included"
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

    Whatever is wrong with a request has a documented 4xx. 501 for a method it does not know
    only warns. Example: 500 for an id with an emoji in it.
    """
    if exchange.status >= 500:
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

    Many clients do not follow, or lose their key on the way. 304 is no redirect. Requests that
    are odd themselves only warn. Example: 308 to the same path with a slash at its end.
    """
    if 300 <= exchange.status < 400 and exchange.status != 304:
        fix = "answer at the documented path itself"
        severity = Severity.WARNING if exchange.intent in LOOSE else None
        yield Mismatch("", "no redirect", f"status {exchange.status}", fix, severity)


def _is_judged_elsewhere(exchange: Exchange) -> bool:
    """Return whether another rule speaks of the error body: DR045, DR047, DR050 or DR051."""
    if exchange.status == TOO_MANY_REQUESTS:
        return True
    if exchange.status == 401 and lacks_good_key(exchange):
        return True
    return exchange.status == 404 and exchange.intent in UNKNOWN and exchange.carries_key


def _has_error_body(exchange: Exchange) -> bool:
    is_odd = exchange.intent is Intent.EDGE_CASE_ID and exchange.status < 500
    is_plain = is_error(exchange) and has_json(exchange) and not is_odd
    return is_plain and not _is_judged_elsewhere(exchange)


@rule(
    "DR105",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source=_ERRORS_PAGE,
    when=responded(_has_error_body),
    needs="an error answer",
)
def error_bodies_have_the_documented_shape(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """Error bodies have the documented shape: `success`, and `error` with code and message.

    One shape for all errors is what lets a client have one handler. The older form of a 401 is
    accepted. Errors of 5xx, and of requests that are odd themselves, only warn. Example:
    `{"error": "Bad Request"}` on a 400.
    """
    schema_name = "error_unauthorized" if exchange.status == 401 else "error"
    is_loose = exchange.status >= 500 or exchange.intent in LOOSE
    yield from schema_mismatches(exchange.body, schema_name, Severity.WARNING if is_loose else None)


def _has_judged_code(exchange: Exchange) -> bool:
    if exchange.status not in _JUDGED_CODES or not has_json(exchange):
        return False
    elsewhere = exchange.status != TOO_MANY_REQUESTS and _is_judged_elsewhere(exchange)
    is_asked_for = exchange.status == 400 and exchange.intent in _NOT_JUDGED_HERE
    return not elsewhere and not is_asked_for and is_valid(exchange.body, "error")


@rule(
    "DR106",
    group=Group.HTTP,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Errors, table of codes",
    when=responded(_has_judged_code),
    needs="an error answer in the common shape",
)
def error_code_fits_status(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """The code of an error is one that is documented for its status.

    Clients branch on the code. On 403, a code that is documented nowhere only warns. Example:
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


RULES = (
    detail_is_of_the_run_asked_for,
    success_goes_with_the_status,
    message_is_a_text,
    answers_are_json,
    no_server_errors,
    no_redirects,
    error_bodies_have_the_documented_shape,
    error_code_fits_status,
)
