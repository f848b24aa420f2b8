"""Conditions under which a rule applies to an exchange."""

from collections.abc import Callable, Iterator

from deadringer.contracts.exchanges import MISSING, Exchange, Intent
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.redaction import is_secret_header
from deadringer.contracts.specification import operations
from deadringer.contracts.validation import is_valid, validate
from deadringer.contracts.violations import Severity

from .json_values import members, text
from .model import Context, Mismatch, When

TOO_MANY_REQUESTS = 429
LOOSE = frozenset({Intent.FUZZ, Intent.EDGE_CASE_ID, Intent.WRONG_METHOD, Intent.NEAR_ID})
"""Intents for which the contract specifies little."""
UNKNOWN = frozenset({Intent.UNKNOWN_WORKFLOW, Intent.UNKNOWN_RUN})
_NO_KEY_EXPECTED = LOOSE | {Intent.KEY_IN_QUERY, Intent.BEARER_KEY}

Claim = Callable[[Exchange], bool]


def lacks_method(exchange: Exchange) -> bool:
    """Return whether a server refuses an undocumented method with 501, as RFC 9110 allows."""
    return exchange.status == 501 and exchange.method not in {one.method for one in operations()}


def responded(*conditions: Claim) -> When:
    """Return a `when` for complete responses of known operations that satisfy all conditions."""

    def when(exchange: Exchange, _context: Context) -> bool:
        is_known = exchange.failure is None and exchange.operation_id is not None
        is_response = is_known and exchange.status >= 200 and exchange.method != "OPTIONS"
        return is_response and all(condition(exchange) for condition in conditions)

    return when


def has_body(exchange: Exchange) -> bool:
    """Return whether the response may have a body that is known (responses to HEAD have none)."""
    may_have = exchange.method != "HEAD" and exchange.status not in {204, 304}
    return may_have and not exchange.has_unknown_body


def has_json(exchange: Exchange) -> bool:
    """Return whether the response's body is JSON."""
    return has_body(exchange) and exchange.body is not MISSING


def is_error(exchange: Exchange) -> bool:
    """Return whether the status is 4xx or 5xx."""
    return exchange.status >= 400


def is_gateway_refusal(exchange: Exchange) -> bool:
    """Return whether the response looks like the 403 of an edge proxy that blocks the client."""
    return exchange.status == 403 and has_body(exchange) and exchange.body is MISSING


def reached_the_service(exchange: Exchange) -> bool:
    """Return whether the service itself handled the request: no rate limit, no gateway."""
    return exchange.status != TOO_MANY_REQUESTS and not is_gateway_refusal(exchange)


def has_intent(*intents: Intent) -> Claim:
    """Return a condition that is true if the request was sent with one of the intents."""
    return lambda exchange: exchange.intent in intents


def carries_key(exchange: Exchange) -> bool:
    """Return whether the request names any credentials."""
    return exchange.carries_key


def lacks_good_key(exchange: Exchange) -> bool:
    """Return whether the request must be refused: it has no key, or one that does not exist.

    A cookie may belong to a browser session, and another header with the name of a secret may be
    what a gateway wants; neither can be known here.
    """
    if exchange.intent is Intent.BAD_KEY:
        return True
    is_plain = exchange.intent not in _NO_KEY_EXPECTED
    names = exchange.request_headers.keys() - {"x-api-key", "authorization"}
    return is_plain and not exchange.carries_key and not any(map(is_secret_header, names))


def error_of(exchange: Exchange) -> JsonObject:
    """Return the `error` member of a body in the common error shape (E1); empty for any other."""
    body = exchange.body if has_json(exchange) else None
    return members(members(body).get("error")) if is_valid(body, "error") else {}


def error_code(exchange: Exchange) -> str | None:
    """Return the code of a body in the common error shape; None for any other."""
    return text(error_of(exchange).get("code"))


def schema_mismatches(
    body: Json, schema_name: str, severity: Severity | None = None
) -> Iterator[Mismatch]:
    """Yield a mismatch for each place where the body violates a schema."""
    for one in validate(body, schema_name):
        yield Mismatch(one.pointer, one.expected, one.got, one.fix, severity)


def body_mismatches(
    exchange: Exchange, schema_name: str, severity: Severity | None = None
) -> Iterator[Mismatch]:
    """Yield the mismatches between the response body and the JSON Schema it should have."""
    if has_json(exchange):
        yield from schema_mismatches(exchange.body, schema_name, severity)
    elif has_body(exchange):
        fix = "respond with the documented error body, as JSON"
        yield Mismatch("", "a JSON body", excerpt(exchange), fix, severity)


def excerpt(exchange: Exchange) -> str:
    """Return the beginning of a body that is not JSON and why it is not, for messages."""
    beginning = exchange.response_body[:60].decode("utf-8", "replace")
    return f"{beginning!r} ({exchange.why_not_json})" if beginning else "an empty body"
