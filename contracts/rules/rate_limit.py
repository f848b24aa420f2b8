"""Rules about the rate limit: its headers, and the response beyond it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity

from .conditions import TOO_MANY_REQUESTS, body_mismatches, has_json, responded
from .json_values import elements, members, number, shown
from .model import Context, Group, Mismatch, Scope, rule

HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
DOCUMENTED_LIMIT = 100
LONGEST_WINDOW_S = 86_400  # a larger value is a point in time
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_SOURCE = "Rate limits: RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset on every response"
_SHOWN = {
    "ratelimit-limit": "RateLimit-Limit",
    "ratelimit-remaining": "RateLimit-Remaining",
    "ratelimit-reset": "RateLimit-Reset",
}


def _header(exchange: Exchange, name: str) -> float | None:
    value = exchange.response_headers.get(name, "").strip()
    return float(value) if _NUMBER.fullmatch(value) else None


def _present(exchange: Exchange) -> list[str]:
    return [name for name in HEADERS if name in exchange.response_headers]


def _has_any(exchange: Exchange) -> bool:
    return bool(_present(exchange))


def _is_refused(exchange: Exchange) -> bool:
    return exchange.status == TOO_MANY_REQUESTS


def _is_regular(exchange: Exchange) -> bool:
    return exchange.status < 500


@rule(
    "DR044a",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source=_SOURCE,
    when=responded(_has_any),
    needs="a response with RateLimit headers",
)
def rate_limit_values_fit(exchange: Exchange, context: Context) -> Iterator[Mismatch]:
    """RateLimit headers are numbers consistent with each other and with the window.

    0 <= Remaining <= Limit, and 0 <= Reset <= the window: Reset is in seconds, and clients sleep
    for that long. A limit other than the documented 100 may have another window, so a longer Reset
    is then only a warning. Example: Reset 1774606500, which is a point in time.
    """
    values = {name: _header(exchange, name) for name in _present(exchange)}
    for name, value in values.items():
        if value is None or value < 0:
            got = exchange.response_headers[name]
            yield _mismatch(name, "a number, 0 or more", shown(got), "send a plain number")
    limit, remaining, reset_s = (values.get(name) for name in HEADERS)
    if limit is not None and remaining is not None and remaining > limit >= 0:
        fix = "count down from the limit"
        yield _mismatch(HEADERS[1], f"at most {limit:g}, the limit", f"{remaining:g}", fix)
    longest_s = context.settings.window_s + 1
    if reset_s is not None and reset_s > longest_s:
        is_certain = limit == DOCUMENTED_LIMIT or reset_s > LONGEST_WINDOW_S
        severity = None if is_certain else Severity.WARNING
        fix = "send the seconds until the window ends"
        yield _mismatch(HEADERS[2], f"at most {longest_s:g} seconds", f"{reset_s:g}", fix, severity)


def _mismatch(
    name: str, expected: str, got: str, fix: str, severity: Severity | None = None
) -> Mismatch:
    return Mismatch("", f"{_SHOWN[name]} to be {expected}", got, fix, severity)


@rule(
    "DR044b",
    group=Group.RATE_LIMIT,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source=_SOURCE,
    when=responded(_is_regular),
)
def rate_limit_headers_are_on_every_answer(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """Every response carries the three RateLimit headers.

    Clients use them to pace requests, including those of errors. Only a warning, because a gateway
    may remove them. Example: a 404 without RateLimit-Reset.
    """
    missing = [_SHOWN[name] for name in HEADERS if name not in exchange.response_headers]
    if missing:
        yield Mismatch(
            "",
            "headers " + ", ".join(_SHOWN.values()),
            "no " + ", no ".join(missing),
            "set them where every response passes, errors included",
        )


@dataclass(frozen=True, slots=True)
class _Window:
    limit: float
    remaining: float
    ends_at_s: float


def _window(exchange: Exchange) -> _Window | None:
    limit, remaining, reset_s = (_header(exchange, name) for name in HEADERS)
    if limit is None or remaining is None or reset_s is None:
        return None
    return _Window(limit, remaining, exchange.sent_at_s + reset_s)


def _share_a_window(earlier: Exchange, later: Exchange, _context: Context) -> bool:
    keys = [one.request_headers.get("x-api-key", "") for one in (earlier, later)]
    windows = _window(earlier), _window(later)
    if not keys[0] or keys[0] != keys[1] or windows[0] is None or windows[1] is None:
        return False
    if earlier.failure is not None or later.failure is not None:
        return False
    # Concurrent requests may be counted in either order.
    one_by_one = earlier.sent_at_s + earlier.elapsed_s <= later.sent_at_s
    in_time = later.sent_at_s + later.elapsed_s < windows[0].ends_at_s - 1
    return one_by_one and in_time and windows[0].limit == windows[1].limit


@rule(
    "DR044c",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGES,
    source="Rate limits: a fixed window, for each API key",
    when=_share_a_window,
    needs="two requests in one rate-limit window",
)
def remaining_never_rises_in_a_window(
    earlier: Exchange, later: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """RateLimit-Remaining never rises within a window.

    Clients plan requests by it. Tested for two requests with one key and one limit, if the later
    response arrived before the window of the earlier one could have ended. Example: 87, then 90.
    """
    before, now = _header(earlier, HEADERS[1]), _header(later, HEADERS[1])
    if before is not None and now is not None and now > before:
        fix = "count all requests of a key in one place, until the window ends"
        yield _mismatch(HEADERS[1], f"at most {before:g}, as before", f"{now:g}", fix)


@rule(
    "DR051",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Errors, 429: RATE_LIMITED; Rate limits, example of a 429",
    when=responded(_is_refused),
    needs="a 429 response",
)
def rate_limited_answers_have_an_error_body(
    exchange: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """A 429 has an error body, in the common shape or in that of the rate-limit page.

    The latter is `{"success": false, "message": …, "error": "RATE_LIMIT_EXCEEDED"}`. Example:
    the plain text `Too many requests`.
    """
    yield from body_mismatches(exchange, "error_rate_limited")


@rule(
    "DR052",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Rate limits: RateLimit-Reset on every response; client code reads Retry-After",
    when=responded(_is_refused),
    needs="a 429 response",
)
def rate_limited_answers_say_how_long(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A 429 states how long to wait.

    In RateLimit-Reset, in Retry-After (seconds or a date), or in `error.retryAfterSeconds`.
    Otherwise clients guess, and retry too early. Example: a 429 with none of the three.
    """
    retry_after = exchange.response_headers.get("retry-after", "")
    error = members(exchange.body).get("error") if has_json(exchange) else None
    seconds = (
        _header(exchange, HEADERS[2]),
        _header(exchange, "retry-after"),
        number(members(error).get("retryAfterSeconds")),
    )
    if all(one is None or one < 0 for one in seconds) and not _is_date(retry_after):
        yield Mismatch(
            "",
            "RateLimit-Reset, Retry-After or error.retryAfterSeconds",
            "none of them, or no number of seconds in it",
            "send the seconds until the window ends",
        )


def _is_date(value: Json) -> bool:
    try:
        parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    return True


MOVED_S = 2.5
STEADY_REQUESTS = 10
LIMIT_CHANGES = 3


@rule(
    "DR152",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGES,
    source="Rate limits: a fixed window; RateLimit-Reset is the seconds to the reset",
    when=_share_a_window,
    needs="two requests in one rate-limit window",
)
def window_ends_when_it_was_to_end(
    earlier: Exchange, later: Exchange, _context: Context
) -> Iterator[Mismatch]:
    """RateLimit-Reset counts down: all responses of a window name the same end of it.

    Clients sleep until then. Rounding to seconds and the duration of the requests are allowed for.
    Example: Reset 60 in every response.
    """
    windows = _window(earlier), _window(later)
    if windows[0] is None or windows[1] is None:
        return
    moved_s = windows[1].ends_at_s - windows[0].ends_at_s
    if abs(moved_s) > MOVED_S + earlier.elapsed_s + later.elapsed_s:
        passed_s = later.sent_at_s - earlier.sent_at_s
        wanted_s = windows[0].ends_at_s - later.sent_at_s
        yield _mismatch(
            HEADERS[2],
            f"about {wanted_s:.0f}, as {passed_s:.0f} s have passed since an earlier response",
            f"{windows[1].ends_at_s - later.sent_at_s:g}",
            "send the seconds until the fixed window of this key ends",
        )


def _is_a_series(exchanges: Json, _context: Context) -> bool:
    return len(elements(exchanges)) >= 3


def _crosses_the_end(exchanges: Json, context: Context) -> bool:
    if not _is_a_series(exchanges, context):
        return False
    window = _window(exchanges[0])
    limits = {_header(one, HEADERS[0]) for one in exchanges}
    return (
        window is not None and exchanges[-1].sent_at_s > window.ends_at_s + 1.5 and len(limits) == 1
    )


@rule(
    "DR154",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.WINDOW,
    source="Rate limits: a fixed window, for each API key; RateLimit-Reset",
    when=_crosses_the_end,
    needs="requests before and after the end of a rate-limit window",
)
def window_begins_again(exchanges: Json, _context: Context) -> Iterator[Mismatch]:
    """When the window has ended, RateLimit-Remaining begins again.

    A count that goes on falling locks clients out. The first response shows when the window ends;
    the others are those around that moment. Only a count that goes on by exactly one for each
    request is reported, as others may use the key. Example: 43, and 42 after the end.
    """
    counts = [_header(one, HEADERS[1]) for one in exchanges[1:]]
    if counts[0] is None or counts[-1] is None:
        return
    wanted = max(0.0, counts[0] - (len(counts) - 1))
    if counts[-1] == wanted:
        fix = "begin a new window, with the whole limit, when the window has ended"
        yield _mismatch(HEADERS[1], "counted from the limit again", f"{counts[-1]:g}", fix)


@rule(
    "DR151",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.WINDOW,
    source="Rate limits: a fixed window of 100 requests; RateLimit-Remaining on every response",
    when=_is_a_series,
    needs="several requests in one rate-limit window",
)
def remaining_falls_with_requests(exchanges: Json, _context: Context) -> Iterator[Mismatch]:
    """RateLimit-Remaining falls while requests are sent.

    A constant count looks as if there were no limit. Reported after 10 requests in
    one window with the same count. Example: 99 in ten responses.
    """
    counts = [_header(one, HEADERS[1]) for one in exchanges]
    is_steady = len(counts) >= STEADY_REQUESTS and len(set(counts)) == 1
    if is_steady and counts[0] is not None and counts[0] > 0:
        fix = "count each request of the key before responding"
        got = f"{counts[0]:g} in {len(counts)} responses in a row"
        yield _mismatch(HEADERS[1], "less after each request", got, fix)


@rule(
    "DR153",
    group=Group.RATE_LIMIT,
    severity=Severity.ERROR,
    scope=Scope.WINDOW,
    source="Rate limits: 100 requests for each API key, not for each operation",
    when=_is_a_series,
    needs="several requests in one rate-limit window",
)
def limit_is_the_same_for_all_operations(exchanges: Json, _context: Context) -> Iterator[Mismatch]:
    """RateLimit-Limit is the same on all operations.

    The limit is that of the key; clients pace all requests by one number. One change of
    the limit, as after a change of plan, is accepted. Example: 100 on the detail, 60 on the list.
    """
    sent = [limit for limit in (_header(one, HEADERS[0]) for one in exchanges) if limit is not None]
    changes = sum(one != other for one, other in pairwise(sent))
    if changes >= LIMIT_CHANGES:
        limits = ", ".join(f"{one:g}" for one in sorted(set(sent)))
        fix = "keep one limit and one count for each key"
        yield _mismatch(HEADERS[0], "one number for a key", f"{limits} in turn", fix)


RULES = (
    rate_limit_values_fit,
    rate_limit_headers_are_on_every_answer,
    remaining_never_rises_in_a_window,
    rate_limited_answers_have_an_error_body,
    rate_limited_answers_say_how_long,
    window_ends_when_it_was_to_end,
    window_begins_again,
    remaining_falls_with_requests,
    limit_is_the_same_for_all_operations,
)
