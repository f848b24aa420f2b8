"""Rules about keys: which are refused, how, and that none leaks."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.violations import Severity

from .conditions import (
    body_mismatches,
    error_code,
    has_intent,
    is_gateway_refusal,
    lacks_good_key,
    reached_the_service,
    responded,
)
from .json_values import shown
from .model import Context, Group, Mismatch, Scope, rule

SHORTEST_SECRET = 8
LONGEST_SHOWN = 12
_ERRORS_PAGE = "Errors, 401: AUTH_REQUIRED, INVALID_API_KEY"


@rule(
    "DR045",
    group=Group.AUTH,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Authentication: a valid API key; Errors, 401",
    when=responded(lacks_good_key, reached_the_service),
    needs="a request without a good key",
)
def requests_without_good_key_are_refused(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """A request without a key or with a wrong key gets 401 and an error body.

    Runs contain private data. The body has the common error shape or the older one of the home
    page, `{"message": …, "error": …}`. Example: 200 for a key with one more letter.
    """
    if exchange.status != 401:
        yield Mismatch(
            "",
            "status 401",
            f"status {exchange.status}",
            "check the key before anything else, and compare the whole key",
        )
        return
    yield from body_mismatches(exchange, "error_unauthorized")


def _is_coded_refusal(exchange: Exchange) -> bool:
    return exchange.status == 401 and lacks_good_key(exchange) and error_code(exchange) is not None


@rule(
    "DR046",
    group=Group.AUTH,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source=_ERRORS_PAGE,
    when=responded(_is_coded_refusal),
    needs="a 401 in the common error shape",
)
def refusals_tell_missing_from_wrong_key(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """A missing key gets the code AUTH_REQUIRED, a wrong key INVALID_API_KEY.

    The first code means that a key must be set up, the second that it must be replaced. An empty
    key may get either code, and so may a bearer token, because a server may read `x-api-key` only.
    Example: INVALID_API_KEY for a request without any key.
    """
    headers = exchange.request_headers
    accepted: tuple[str, ...] = ("AUTH_REQUIRED", "INVALID_API_KEY")
    if headers.get("x-api-key", "").strip():
        accepted = ("INVALID_API_KEY",)
    elif not {"x-api-key", "authorization"} & headers.keys():
        accepted = ("AUTH_REQUIRED",)
    code = error_code(exchange)
    if code not in accepted:
        yield Mismatch(
            "/error/code",
            " or ".join(accepted),
            shown(code),
            "check first that there is a key, then that it is valid",
        )


def _secrets(exchange: Exchange) -> Iterator[str]:
    headers = exchange.request_headers
    bearer = headers.get("authorization", "").removeprefix("Bearer")
    for secret in (headers.get("x-api-key", ""), bearer):
        if len(secret.strip()) >= SHORTEST_SECRET:
            yield secret.strip()


def _carries_secret(exchange: Exchange) -> bool:
    return next(_secrets(exchange), None) is not None


@rule(
    "DR108",
    group=Group.AUTH,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Authentication: a key opens all data of its organisation",
    when=responded(_carries_secret),
    needs="a request with a key",
)
def answers_never_repeat_the_key(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """The response never contains the key of its request, in any header or member.

    Responses are logged, cached and pasted into reports; keys must not be, refused ones neither: a
    refused key may be a good one of another environment. The key is found in any case,
    percent-encoded, in base64, and without its prefix. Example: an error message that contains the
    whole invalid key.
    """
    texts = {f"header {name}": value for name, value in exchange.response_headers.items()} | {
        "the body": exchange.response_body.decode("utf-8", "replace")
    }
    for secret in _secrets(exchange):
        for place, found in texts.items():
            if _repeats(found, secret):
                yield Mismatch(
                    "",
                    "a response without the key of the request",
                    f"the key in {place}",
                    "show the first letters of a key at most",
                )


def _repeats(found: str, secret: str) -> bool:
    folded = found.casefold()
    random_part = secret.removeprefix("trig_")
    plain = random_part if len(random_part) >= LONGEST_SHOWN else secret
    encoded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    forms = (plain, quote(plain, safe=""))
    return encoded in found or any(form.casefold() in folded for form in forms)


@rule(
    "DR109",
    group=Group.AUTH,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source="Inferred from Authentication: header x-api-key, or a bearer token",
    when=responded(has_intent(Intent.KEY_IN_QUERY)),
    needs="a request with its key in the query",
)
def key_in_the_query_is_not_enough(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A key in the query string is not accepted.

    URLs end up in logs and browser histories. Example: 200 for `?api_key=…` without a header.
    """
    if exchange.succeeded:
        fix = "read the key from the headers only"
        yield Mismatch("", "status 401", f"status {exchange.status}", fix)


@rule(
    "DR111",
    group=Group.AUTH,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source="Authentication: `Authorization: Bearer <key>` is accepted too",
    when=responded(has_intent(Intent.BEARER_KEY), reached_the_service),
    needs="a request with the good key as a bearer token",
)
def bearer_key_is_accepted(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """The key is accepted as a bearer token, as well as in x-api-key.

    Many HTTP clients support bearer tokens but no custom header. Example: 401 for
    `Authorization: Bearer` with the good key.
    """
    if not exchange.succeeded and not is_gateway_refusal(exchange):
        yield Mismatch(
            "",
            "a 2xx status, as with x-api-key",
            f"status {exchange.status}",
            "read the key from `Authorization: Bearer` where x-api-key is missing",
        )


RULES = (
    requests_without_good_key_are_refused,
    refusals_tell_missing_from_wrong_key,
    answers_never_repeat_the_key,
    key_in_the_query_is_not_enough,
    bearer_key_is_accepted,
)
