"""The HTTP client of the check: bounded, paced, and safe against any response."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode, urlsplit

import httpx

from deadringer.contracts.check.access import Access, httpcore_proxy, proxy_for, ssl_context_of
from deadringer.contracts.check.options import CheckOptions
from deadringer.contracts.exchanges import Exchange, Failure, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.redaction import KEY_VARIABLE, SecretRedactor
from deadringer.contracts.specification import Operation, operations

from .bodies import BodyTooLargeError, read_body
from .deadline_transport import DeadlineTransport
from .failures import failure_of
from .rate_limiter import RateLimiter

RETRIES_AFTER_429 = 2
_NOT_UP = frozenset({Failure.REFUSED, Failure.UNKNOWN_HOST, Failure.TIMED_OUT, Failure.DROPPED})


class BudgetSpentError(Exception):
    """The check has used up its requests or its time."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send. With `key` None it has no credentials; header names are lower case."""

    operation: Operation
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    method: str = ""
    intent: Intent = Intent.READ

    @property
    def path(self) -> str:
        """Return the path with percent-encoded parameters, including the dots of dot segments."""
        path = self.operation.path
        for name, value in self.path_parameters.items():
            path = path.replace("{" + name + "}", encoded_segment(value))
        return path


def encoded_segment(value: str) -> str:
    """Return one path segment percent-encoded, so that no proxy rewrites it."""
    if value in {".", ".."}:
        return value.replace(".", "%2E")
    return quote(value, safe="", errors="surrogatepass")


class Client:
    """Send every request of a check.

    Counts requests, obeys the rate limit, retries a dropped connection once, and reads no body
    beyond the limit. Follows no redirect, so that the key is sent to its own host only.
    """

    def __init__(
        self,
        options: CheckOptions,
        *,
        observe: Callable[[Exchange], None],
        log: Callable[[str], None],
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._options = options
        self._observe = observe
        self._log = log
        self._before = before
        self._now_s = now_s
        self._sleep = sleep
        self._began_at_s = now_s()
        self._access = options.access
        self.proxy = proxy_for(options.base_url, self._access)
        self._transport = DeadlineTransport(
            ssl_context_of(self._access), httpcore_proxy(self.proxy) if self.proxy else None
        )
        self._http = httpx.Client(transport=self._transport, trust_env=False)
        self._prefix = urlsplit(options.base_url).path.rstrip("/")
        self.rate_limiter = RateLimiter(now_s, self._pause, log)
        self.requests = 0
        self._noted: set[str] = set()

    def send(self, request: Request) -> Exchange:
        """Send one request, pass its exchange to `observe`, and return it.

        Raises:
            BudgetSpentError: if no request or no time is left.
        """
        self._before()
        credential = _credential(request.headers)
        for _ in range(RETRIES_AFTER_429 + 1):
            self.rate_limiter.before(credential)
            exchange = self._attempt_twice(request)
            self.rate_limiter.after(credential, exchange)
            self._observe(exchange)
            if exchange.status != 429:
                break
            self.rate_limiter.after_429(exchange)
        return exchange

    def has_room(self, requests: int) -> bool:
        """Return whether the budget allows this many more requests."""
        return self.requests + requests <= self._options.max_requests and self.time_left_s > 0

    @property
    def time_left_s(self) -> float:
        """Return the seconds left of the check's total time."""
        return self._options.max_time_s - (self._now_s() - self._began_at_s)

    def _pause(self, seconds: float) -> None:
        left_s = self.time_left_s
        if seconds > left_s:
            raise BudgetSpentError(
                f"the rate limit needs a wait of {seconds:.0f} s, "
                f"{max(left_s, 0):.0f} s left of the time allowed"
            )
        self._sleep(seconds)

    def is_up(self, within_s: float) -> bool:
        """Return whether the server's address responds with anything but a gateway's 502-504.

        Sends one request that counts for nothing and takes `within_s` or the timeout at most.
        """
        operation = next(one for one in operations() if one.operation_id == "listWorkflows")
        headers = {"x-api-key": self._options.api_key}
        self._transport.deadline.start(min(self._options.timeout_s, within_s))
        exchange = self._exchanged(
            Exchange("GET", operation.path, 0, operation.operation_id, request_headers=headers)
        )
        return exchange.failure not in _NOT_UP and exchange.status not in {502, 503, 504}

    def restart_clock(self) -> None:
        """Begin the check's whole time now."""
        self._began_at_s = self._now_s()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _attempt_twice(self, request: Request) -> Exchange:
        exchange = self._attempt(request)
        if exchange.failure is not Failure.DROPPED or exchange.method not in {"GET", "HEAD"}:
            return exchange
        again = self._attempt(request)
        line = f"{exchange.method} {exchange.path}: connection dropped, retried once"
        if line not in self._noted:
            self._noted.add(line)
            self._log(line)
        return again

    def _attempt(self, request: Request) -> Exchange:
        if not self.has_room(1):
            raise BudgetSpentError(
                f"{self.requests} requests sent, "
                f"{max(0.0, self.time_left_s):.0f} s left of the time allowed"
            )
        self.requests += 1
        method = request.method or request.operation.method
        sent_at_s = self._now_s()
        allowed_s = min(self._options.timeout_s, self.time_left_s)
        self._transport.deadline.start(allowed_s)
        exchange = Exchange(
            method=method,
            path=request.path,
            status=0,
            operation_id=request.operation.operation_id,
            path_parameters=dict(request.path_parameters),
            query=dict(request.query),
            request_headers=dict(request.headers),
            request_body=request.body,
            sent_at_s=sent_at_s,
            intent=request.intent,
        )
        exchange = self._exchanged(exchange)
        if exchange.failure is Failure.TIMED_OUT and allowed_s < self._options.timeout_s:
            # The server had less than its time: that is no finding.
            raise BudgetSpentError(f"{self.requests} requests sent, no time left in the last one")
        return replace(exchange, elapsed_s=self._now_s() - sent_at_s)

    def _exchanged(self, exchange: Exchange) -> Exchange:
        content = None if exchange.request_body is None else json.dumps(exchange.request_body)
        headers = {"accept": "application/json", "accept-encoding": "gzip, deflate"}
        headers |= {"user-agent": "deadringer-check"}
        headers |= self._access.sent(exchange.request_headers)
        if content is not None:
            headers.setdefault("content-type", "application/json")
        target = self._prefix + exchange.path + _query_text(exchange.query)
        request = self._http.build_request(
            exchange.method,
            self._options.base_url,
            headers=headers,
            content=content,
            extensions={"target": target.encode("ascii")},
        )
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            failure, cause = failure_of(error)
            return replace(exchange, failure=failure, cause=cause)
        exchange = replace(
            exchange,
            status=response.status_code,
            response_headers={name.lower(): value for name, value in response.headers.items()},
        )
        body, broken, cause = self._read(response)
        return replace(exchange, response_body=body, failure=broken, cause=cause)

    def _read(self, response: httpx.Response) -> tuple[bytes, Failure | None, str]:
        body = bytearray()
        try:
            read_body(response, self._options.max_body_bytes, body)
        except BodyTooLargeError:
            return bytes(body), Failure.TOO_LARGE, ""
        except (httpx.HTTPError, ValueError) as error:
            return bytes(body), *failure_of(error)
        finally:
            response.close()
        return bytes(body), None, ""


def curl_line(base_url: str, exchange: Exchange, redactor: SecretRedactor, access: Access) -> str:
    """Return a curl command that repeats the request, with a variable in place of the key."""
    words = ["curl", "-i", "-g", "--path-as-is"]
    if exchange.method != "GET":
        words += ["-X", exchange.method]
    line = " ".join(words)
    for name, value in exchange.request_headers.items():
        if _holds_real_key(exchange, name):
            in_bearer = name == "authorization" or access.bearer
            header = "authorization" if in_bearer else access.key_header
            line += f' -H "{header}: {"Bearer " if in_bearer else ""}{KEY_VARIABLE}"'
        else:
            for header, sent in replace(access, headers=()).sent({name: value}).items():
                line += f" -H {redactor.word(f'{header}: {sent}')}"
    line += access.curl_options()
    if exchange.request_body is not None:
        body = json.dumps(exchange.request_body, ensure_ascii=False)
        line += f" -H 'content-type: application/json' --data-raw {redactor.word(body)}"
    url = base_url.rstrip("/") + exchange.path + _query_text(exchange.query)
    return f"{line} {redactor.word(url)}"


def _holds_real_key(exchange: Exchange, header: str) -> bool:
    value = exchange.request_headers[header].removeprefix("Bearer").strip()
    in_place = header in {"x-api-key", "authorization"}
    return in_place and bool(value) and exchange.intent is not Intent.BAD_KEY


def _query_text(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""


def _credential(headers: Mapping[str, str]) -> str:
    return headers.get("x-api-key") or headers.get("authorization") or ""
