"""What is written as HAR reads back as the same exchanges, without keys and cookies."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadringer.contracts import Exchange, Failure
from deadringer.contracts.documents import (
    HarRecording,
    har_document,
    har_entry,
    validate_document,
)
from deadringer.contracts.redaction import SecretRedactor
from deadringer.fixtures import json_bytes, load_recordings

KEY = "trig_a_real_key_of_a_customer"
HIDE = SecretRedactor([KEY])
RUN = load_recordings()[0].execution
READ = Exchange(
    method="GET",
    path="/v1/workflows/wf_abc123/executions/run_x7k9m2",
    status=200,
    operation_id="getExecution",
    path_parameters={"id": "wf_abc123", "runId": "run_x7k9m2"},
    request_headers={"accept": "application/json"},
    response_headers={
        "content-type": "application/json",
        "ratelimit-limit": "100",
        "ratelimit-remaining": "99",
        "ratelimit-reset": "60",
    },
    response_body=json_bytes({"success": True, "message": "ok", "data": RUN}),
    sent_at_s=1_774_606_500.25,
    elapsed_s=0.012,
)
STARTED = Exchange(
    method="POST",
    path="/v1/workflows/wf%2F1/test",
    status=200,
    operation_id="testWorkflow",
    path_parameters={"id": "wf/1"},
    request_body={"overrides": {"text": "Grüße & \u2028"}},
    response_body=b"{}",
)


def written(*exchanges: Exchange) -> dict:
    document = har_document(har_entry(one, "https://api.test/prefix", HIDE) for one in exchanges)
    return json.loads(json.dumps(document))


def read_again(*exchanges: Exchange) -> list[Exchange]:
    return [one.exchange for one in HarRecording(written(*exchanges))]


@pytest.mark.parametrize(
    "exchange",
    [
        READ,
        STARTED,
        replace(STARTED, request_body={"overrides": {"likes": float("-inf")}}),
        replace(READ, query={"page": "2", "a b": "ü&=+%"}),
        replace(READ, response_body=b"\xff\x00\x89PNG"),
        replace(READ, response_body=b""),
        replace(READ, method="HEAD", operation_id=None, response_body=b""),
        replace(READ, response_body=b"", has_unknown_body=True),
        replace(READ, status=304, response_body=b""),
        replace(READ, status=799, response_body=b"<p>gateway</p>"),
    ],
    ids=range(10),
)
def test_an_exchange_reads_back_as_it_was(exchange: Exchange) -> None:
    expected = [exchange] if exchange.method != "HEAD" else []  # not an operation

    assert read_again(exchange) == expected


@given(
    body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
    query=st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=3),
    sent_at_us=st.integers(0, 4 * 10**15),
)
def test_any_body_query_and_time_read_back(body, query, sent_at_us) -> None:
    exchange = replace(READ, response_body=body, query=query, sent_at_s=sent_at_us / 1e6)

    (again,) = read_again(exchange)

    assert (again.response_body, again.query) == (body, query)
    assert again.sent_at_s == pytest.approx(exchange.sent_at_s, abs=2e-6)


def test_a_written_recording_has_no_violation() -> None:
    assert validate_document(written(READ)) == []


def test_violations_of_a_response_are_found_in_its_recording() -> None:
    late = json_bytes({"success": True, "message": "ok", "data": RUN | {"duration_ms": 1}})

    found = validate_document(written(replace(READ, response_body=late)))

    assert {one.rule for one in found} == {"duration_is_end_minus_start"}


@pytest.mark.parametrize(
    "exchange",
    [
        replace(READ, request_headers={"x-api-key": KEY}),
        replace(READ, request_headers={"authorization": f"Bearer {KEY}"}),
        replace(READ, request_headers={"x-forwarded-for-key": KEY}),
        replace(READ, response_body=json_bytes({"seen": KEY})),
        replace(READ, response_body=b"\xff" + KEY.encode()),
        replace(READ, path=f"/v1/workflows/{KEY}/executions/r"),
        replace(READ, query={"q": KEY}),
        replace(STARTED, request_body={"overrides": {"text": KEY}}),
    ],
    ids=range(8),
)
def test_a_key_is_in_no_part(exchange: Exchange) -> None:
    text = json.dumps(written(exchange))
    (entry,) = written(exchange)["log"]["entries"]
    content = entry["response"]["content"]

    assert KEY not in text
    if content.get("encoding"):
        assert KEY.encode() not in base64.b64decode(content["text"])


def test_cookies_and_secret_query_members_lose_their_values() -> None:
    secret = "s3cret-session"
    headers = {"cookie": f"sid={secret}", "x-api-key": KEY}
    exchange = replace(
        READ,
        request_headers=headers,
        query={"access_token": secret, "page": "1"},
        response_headers={"set-cookie": f"sid={secret}; Path=/"},
    )

    (again,) = read_again(exchange)

    assert secret not in json.dumps(written(exchange))
    assert again.query == {"access_token": "***", "page": "1"}
    assert again.carries_key


def test_sizes_are_those_of_the_body_and_of_what_was_sent() -> None:
    packed = {"content-encoding": "gzip", "content-length": "20"}
    exchange = replace(READ, response_headers=packed, response_body=("ü" * 50).encode())

    (entry,) = written(exchange)["log"]["entries"]

    assert entry["response"]["content"]["size"] == 100
    assert entry["response"]["bodySize"] == 20


def test_a_failed_request_is_recorded_with_its_reason() -> None:
    failed = replace(READ, status=0, response_body=b"", failure=Failure.DROPPED)

    (entry,) = written(failed)["log"]["entries"]

    assert (entry["response"]["status"], entry["_error"]) == (0, Failure.DROPPED.value)
    assert read_again(failed) == []
