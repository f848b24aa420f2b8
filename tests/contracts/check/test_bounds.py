"""No response, address or option makes a check crash, wait without end, or pass untested."""

import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from click.testing import CliRunner

from deadringer.contracts.check import (
    CheckOptions,
    Conclusion,
    OptionError,
    Outcome,
    Report,
    run_check,
)
from deadringer.contracts.check.http.client import Client
from deadringer.contracts.check.http.rate_limiter import LONGEST_WAIT_S, wait_hint_s
from deadringer.contracts.check.phases.fuzzing import fuzz
from deadringer.contracts.check.recorder import ResultRecorder
from deadringer.contracts.check.session import CheckSession
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.rules import select
from deadringer.contracts.specification import operations
from deadringer.mockserver import RatePolicy
from deadringer.mockserver.cli.check import command
from tests.mutation.servers import KEY as MOCK_KEY
from tests.mutation.servers import mock

from .small_server import KEY, Reply, ignore_the_key, respond_correctly, serving

IDS = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}
HUGE = "1" + "0" * 400


def check(url: str, **more: object) -> Report:
    defaults = {"quick": True, "watch_s": 0, "timeout_s": 5}
    parts = {name: more.pop(name) for name in ("sleep", "progress") if name in more}
    return run_check(CheckOptions(base_url=url, api_key=KEY, **(defaults | more)), **parts)


def with_totals(total: str, names: str) -> Callable[[str, str], Reply]:
    def respond(path: str, key: str) -> Reply:
        if key != KEY or path.partition("?")[0].count("/") not in {2, 4}:
            return respond_correctly(path, key)
        pages = {"total": total, "total_count": f'0, "pagination": {{"total_count": {total}}}'}
        rows = '"items": [], "executions": []'
        text = f'{{"success": true, "data": {{{rows}, "total": {pages[names]}}}}}'
        return 200, text.encode()

    return respond


@pytest.mark.parametrize(
    "total", ["1e999", "-1e999", HUGE, "1e300", "2.5", "true", f"-{HUGE}"], ids=lambda one: one[:8]
)
@pytest.mark.parametrize("name", ["total", "total_count"])
def test_a_total_of_any_size_does_not_end_the_check(total: str, name: str) -> None:
    with serving(with_totals(total, name)) as server:
        report = check(server.url, **IDS)

    assert "check itself" not in report.reason
    assert report.phases[-1].name != "discovering workflows and runs"
    assert report.requests > 5


@pytest.mark.parametrize(
    ("headers", "in_body", "expected"),
    [
        ({}, HUGE, LONGEST_WAIT_S),
        ({}, "1e999", LONGEST_WAIT_S),
        ({}, "true", None),
        ({}, "-1", None),
        ({}, "3", 3),
        ({"retry-after": "0"}, "3", 0),
        ({"retry-after": "soon"}, "3", 3),
        ({"retry-after": "nan", "ratelimit-reset": "0"}, "3", 0),
    ],
)
def test_the_wait_after_429_is_what_the_response_says(
    headers: dict[str, str], in_body: str, expected: float | None
) -> None:
    body = f'{{"error": {{"retryAfterSeconds": {in_body}}}}}'.encode()

    exchange = Exchange("GET", "/", 429, response_headers=headers, response_body=body)

    assert wait_hint_s(exchange) == expected


def test_a_date_in_retry_after_counts_from_the_date_of_the_response() -> None:
    sent_at = datetime(2020, 1, 1, tzinfo=UTC)
    headers = {"date": format_datetime(sent_at, usegmt=True)}
    headers["retry-after"] = format_datetime(sent_at + timedelta(seconds=7), usegmt=True)
    exchange = Exchange("GET", "/", 429, response_headers=headers)

    assert wait_hint_s(exchange) == 7
    del headers["date"]
    assert wait_hint_s(exchange) == 0  # long ago


def test_a_429_with_a_huge_wait_does_not_end_the_check() -> None:
    waited: list[float] = []

    def respond(path: str, key: str) -> Reply:
        return 429, f'{{"success": false, "error": {{"retryAfterSeconds": {HUGE}}}}}'.encode()

    with serving(respond) as server:
        check(server.url, **IDS, max_requests=3, sleep=waited.append)

    assert waited
    assert max(waited) <= LONGEST_WAIT_S


def test_a_check_that_tested_nothing_does_not_pass() -> None:
    report = check("http://127.0.0.1:9", max_time_s=0.00001)

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert report.exit_code == 2
    assert "before any rule was tested" in report.reason
    assert "--max-time" in report.reason
    assert {one.outcome for one in report.results} == {Outcome.SKIPPED}


def test_a_check_that_listed_no_runs_does_not_pass() -> None:
    with mock() as url:
        report = run_check(CheckOptions(url, MOCK_KEY, quick=True, max_requests=3))

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert "before all runs were listed" in report.reason


def failing(error: BaseException) -> Callable[[str], None]:
    def progress(phase: str) -> None:
        if phase.startswith("reading runs again"):
            raise error

    return progress


def test_a_bug_of_the_check_is_an_inconclusive_report_with_what_was_found() -> None:
    with serving(ignore_the_key) as server:
        report = check(server.url, **IDS, progress=failing(LookupError(f"{KEY} is missing")))
        whole = check(server.url, **IDS)

    assert whole.conclusion is Conclusion.FAILED
    assert report.exit_code == 2
    assert "a bug of the check, please report it: LookupError at test_bounds.py:" in report.reason
    assert KEY not in report.reason
    assert any(one.outcome is Outcome.FAILED for one in report.results)


def test_a_keyboard_interrupt_is_no_bug_of_the_check() -> None:
    with serving() as server, pytest.raises(KeyboardInterrupt):
        check(server.url, **IDS, progress=failing(KeyboardInterrupt()))


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e300, -1, 86_401])
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("timeout_s", "--timeout"),
        ("max_time_s", "--max-time"),
        ("watch_s", "--watch"),
        ("wait_s", "--wait-for"),
    ],
)
def test_a_time_is_a_number_of_seconds_of_at_most_a_day(
    name: str, option: str, seconds: float
) -> None:
    with pytest.raises(OptionError, match=f"^{option} must be .* 0 to 86400 seconds, got"):
        CheckOptions("http://localhost", KEY, **{name: seconds})


def test_no_time_to_watch_and_a_day_are_allowed() -> None:
    CheckOptions("http://localhost", KEY, watch_s=0, wait_s=0, timeout_s=86_400, max_time_s=0.1)
    with pytest.raises(OptionError, match="--timeout must be above 0"):
        CheckOptions("http://localhost", KEY, timeout_s=0)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://[::1", "is not a URL"),
        ("http://127.0.0.1:99999", "is not a URL: Port out of range"),
        ("http://127.0.0.1:port", "is not a URL"),
        ("http://a\x01b/", "is not a URL"),
        ("http://host/\u00fc", "percent-encoded"),
        ("localhost:4010", "lacks http:// or https://"),
        ("ftp://host", "is not an origin"),
        ("http://user:word@host", "credentials"),
    ],
)
def test_an_address_that_cannot_be_requested_is_refused(url: str, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        CheckOptions(url, KEY)

    shown = CliRunner(env={"DEADRINGER_API_KEY": ""}).invoke(command, [url])  # without a key

    assert shown.exit_code == 2
    assert reason in shown.output


@pytest.mark.parametrize("url", ["http://[::1]:4010", "https://host/a%20b/~c", "http://h:65535/"])
def test_an_address_that_can_be_requested_is_accepted(url: str) -> None:
    assert CheckOptions(url, KEY).base_url == url


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and send nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_waiting_for_a_silent_server_ends_in_time() -> None:
    began_at_s = time.monotonic()
    with silent_server() as url:
        report = check(url, wait_s=0.5, timeout_s=10)

    assert time.monotonic() - began_at_s < 5
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert f"{url} was not up within 0.5 s" in report.reason
    assert report.requests == 0


def test_a_request_takes_no_more_than_the_time_left() -> None:
    began_at_s = time.monotonic()
    with silent_server() as url:
        report = check(url, max_time_s=0.5, timeout_s=10)

    assert time.monotonic() - began_at_s < 5
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert "no time left in the last one" in report.reason
    assert not any(one.findings for one in report.results)


def test_a_wait_longer_than_the_time_left_is_not_begun() -> None:
    waited: list[float] = []

    def respond(path: str, key: str) -> Reply:
        return 429, b'{"success": false, "error": {"retryAfterSeconds": 60}}'

    with serving(respond) as server:
        report = check(server.url, **IDS, max_time_s=20, sleep=waited.append)

    assert waited == []
    assert report.requests == 1
    assert "the rate limit needs a wait of 60 s" in report.reason


@pytest.mark.slow
def test_generated_requests_wait_for_the_end_of_the_window() -> None:
    with mock(policy=RatePolicy(limit=100, window_s=10)) as url:
        options = CheckOptions(url, MOCK_KEY, max_time_s=40)
        client = Client(options, observe=lambda _one: None, log=lambda _line: None)
        operation = {one.operation_id: one for one in operations()}
        rules = ResultRecorder(select(), url, lambda _line: None, SecretRedactor([]))
        session = CheckSession(options, client, rules, operation)
        for _ in range(97):
            session.request("listWorkflows", validated=False)
        fuzz(session, 30)
        client.close()

    assert session.notes == []
    assert client.requests > 97 + 10


def test_a_check_that_generates_no_requests_does_not_say_that_it_does() -> None:
    with serving() as server:
        report = check(server.url, **IDS)

    assert "generating requests" not in [one.name for one in report.phases]
