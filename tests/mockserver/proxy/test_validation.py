"""What the upstream returns is validated as it passes, and shown everywhere it should be."""

import json
import logging
import time
from collections.abc import Iterator

import httpx
import pytest

from deadringer.contracts import Exchange
from deadringer.contracts.check import TrafficOptions
from deadringer.mockserver.proxy.forwarding import ForwardingOptions
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN
from tests.mockserver.proxy.serving import DEMO, Plain, Proxy, mocking, proxying

FAULT = "duration-in-seconds"
RULE = "duration_is_end_minus_start"
LIST = "/v1/workflows"


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking() as url:
        yield url


@pytest.fixture
def proxy(mock: str) -> Iterator[Proxy]:
    httpx.post(f"{mock}/__mock/reset?all=true", verify=NO_TLS)
    with proxying(mock) as one:
        yield one


def read(proxy: Proxy, path: str = KNOWN, **headers: str) -> httpx.Response:
    return httpx.get(proxy.url + path, headers={**DEMO, **headers}, verify=NO_TLS)


def control(proxy: Proxy, method: str, path: str, **options) -> httpx.Response:
    return httpx.request(method, f"{proxy.url}/__mock/{path}", verify=NO_TLS, **options)


def entries(proxy: Proxy) -> list[dict]:
    return control(proxy, "GET", "journal").json()["entries"]


def test_a_correct_server_passes(proxy: Proxy) -> None:
    workflow = KNOWN.rsplit("/", 1)[0]
    paths = (LIST, f"{LIST}/actions", workflow, KNOWN, workflow, KNOWN, f"{KNOWN}/variables")
    responses = [read(proxy, path) for path in (*paths, f"{LIST}/none", f"{workflow}?page=0")]
    report = proxy.traffic.report()

    assert {one.status_code for one in responses} == {200, 400, 404}
    assert [one.headers.get("deadringer-violations") for one in responses] == [None] * 9
    assert [one.rule for one in report.results if one.findings] == []
    assert (report.conclusion, report.requests) == ("passed", 9)
    assert sum(bool(one.tested) for one in report.results) > 60


def test_a_bug_of_the_server_shows_in_the_header_log_journal_and_report(
    proxy: Proxy, mock: str, caplog: pytest.LogCaptureFixture
) -> None:
    httpx.put(f"{mock}/__mock/contract-faults/{FAULT}", verify=NO_TLS)
    with caplog.at_level(logging.INFO, "deadringer"):
        began = time.monotonic()
        response = read(proxy)
        seen_after_s = time.monotonic() - began
        read(proxy)
    httpx.delete(f"{mock}/__mock/contract-faults", verify=NO_TLS)

    count, _, see = response.headers["deadringer-violations"].partition("; see=")
    (shown,) = [
        one for one in entries(proxy) if f"{proxy.url}/__mock/ui/journal#{one['number']}" == see
    ]
    assert {one["rule"] for one in shown["response_violations"]} == {RULE}
    assert count == str(len(shown["response_violations"]))
    lines = [one.getMessage() for one in caplog.records if "violation" in one.getMessage()]
    assert len(lines) == int(count)  # those of the second read are only counted
    assert f"{RULE} (error): GET {KNOWN} -> 200 at /data/duration_ms" in lines[0]
    assert "expected 4320" in lines[0].replace("about ", "")
    assert f"#{shown['number']}" in lines[0]
    assert seen_after_s < 1
    failures = proxy.traffic.report().failures
    assert RULE in {one.rule for one in failures}


def test_the_report_is_returned_on_demand_in_every_format(proxy: Proxy) -> None:
    read(proxy)

    found = {
        name: control(proxy, "GET", f"report?format={name}")
        for name in ("text", "json", "junit", "html", "markdown", "sarif")
    }

    assert {one.status_code for one in found.values()} == {200}
    assert found["json"].json()["conclusion"] == "passed"
    assert found["html"].headers["content-security-policy"] == "sandbox allow-scripts"
    assert found["sarif"].json()["version"] == "2.1.0"
    assert control(proxy, "GET", "report?format=pdf").status_code == 400


def test_what_only_a_mock_has_is_refused(proxy: Proxy) -> None:
    refused = [
        control(proxy, "GET", "clock"),
        control(proxy, "PUT", "scenario", json={"name": "quiet-day"}),
        control(proxy, "POST", "workflows/wf_abc123/runs", json={}),
    ]

    assert {one.status_code for one in refused} == {404}
    assert {one.json()["error"]["suggestion"] for one in refused} == {
        "Use it with `deadringer serve`; faults, the journal and the report are here too"
    }


def test_a_reset_forgets_earlier_reads(proxy: Proxy, mock: str) -> None:
    read(proxy)
    httpx.put(f"{mock}/__mock/contract-faults/{FAULT}", verify=NO_TLS)
    control(proxy, "POST", "reset")
    response = read(proxy)
    httpx.delete(f"{mock}/__mock/contract-faults", verify=NO_TLS)

    assert response.headers["deadringer-violations"].startswith("1;")


def test_the_journal_shows_what_the_server_decided(proxy: Proxy) -> None:
    httpx.get(proxy.url + KNOWN, headers={"x-api-key": "trig_unknown_0123456789"}, verify=NO_TLS)
    read(proxy)
    read(proxy, "/other")

    good, refused = entries(proxy)
    assert refused["request_violations"] == ["The server accepted no key of the request"]
    assert refused["response_violations"] == []
    assert (good["request_violations"], good["response_violations"]) == ([], [])
    assert good["operation"] == "getExecution"


def test_a_fault_of_the_proxy_is_not_one_of_the_server(proxy: Proxy) -> None:
    response = read(proxy, Prefer=f"fault={FAULT}")

    assert "deadringer-violations" not in response.headers
    assert response.headers["preference-applied"] == f"fault={FAULT}"
    assert response.json()["data"]["duration_ms"] == 4
    assert [one.rule for one in proxy.traffic.report().results if one.findings] == []
    (entry,) = entries(proxy)
    assert (entry["contract_faults"], entry["response_violations"]) == ([FAULT], [])


def test_selected_rules_alone_are_tested(mock: str) -> None:
    from deadringer.contracts.rules import select

    rules = TrafficOptions(mock, rules=select(only=["status"]))
    with proxying(mock, rules=rules) as proxy:
        read(proxy)
        groups = {one.group for one in proxy.traffic.report().results}

    assert groups == {"status"}


def test_observers_get_what_the_upstream_sent(mock: str) -> None:
    seen: list[Exchange] = []

    with proxying(mock, observers=[seen.append]) as proxy:
        response = read(proxy, **{"Accept-Encoding": "gzip", "Prefer": "fault=malformed"})
        read(proxy, "/other")

    (exchange,) = seen
    assert exchange.operation_id == "getExecution"
    assert exchange.body["success"] is True
    assert response.content != exchange.response_body  # the fault came later


def test_a_large_response_passes_unvalidated(upstream: Plain) -> None:
    body = b'{"success": true, "data": "' + b"x" * 3_000_000 + b'"}'
    upstream.handle = lambda one: one.reply(200, [("Content-Type", "application/json")], body)

    with proxying(upstream.url, options=ForwardingOptions(largest=2**20)) as proxy:
        response = read(proxy)
        report, (entry,) = proxy.traffic.report(), entries(proxy)

    assert response.content == body
    assert "deadringer-violations" not in response.headers
    assert report.requests == 0
    assert entry["response_violations"] is None


def test_several_clients_at_once_raise_no_alarm(proxy: Proxy) -> None:
    from concurrent.futures import ThreadPoolExecutor

    workflow = KNOWN.rsplit("/", 1)[0]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: read(proxy, path), [KNOWN, workflow, LIST] * 12))

    assert {one.status_code for one in found} == {200}
    assert [one.rule for one in proxy.traffic.report().results if one.findings] == []


def test_secrets_are_never_shown(
    upstream: Plain, caplog: pytest.LogCaptureFixture, tmp_path
) -> None:
    key, token = "own-shape-of-a-key-42", "bearer-token-of-a-user-43"
    leaking = json.dumps({"success": True, "data": {"status": key, "error": token}}).encode()
    upstream.handle = lambda one: one.reply(200, [("Content-Type", "application/json")], leaking)
    sent = {"x-api-key": key, "Authorization": f"Bearer {token}", "Cookie": "session=cookie-44"}

    with caplog.at_level(logging.INFO), proxying(upstream.url) as proxy:
        query = f"?api_key={key}&q={token}"
        for path in (f"{KNOWN}{query}", f"/v1/{key}/x{query}", f"/v1/workflows/{key}/executions"):
            httpx.get(proxy.url + path, headers=sent, verify=NO_TLS)
        shown = [
            *(one.getMessage() for one in caplog.records if one.name.startswith("deadringer")),
            *(
                control(proxy, "GET", f"report?format={name}").text
                for name in ("text", "json", "html")
            ),
            control(proxy, "GET", "journal").text,
        ]

    assert "answers_never_repeat_the_key" in shown[-4]
    for secret in (key, token, "cookie-44"):
        assert [one for one in shown if secret in one] == []
