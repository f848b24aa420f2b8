"""HAR recordings of browsers and proxies are validated as far as they go, and never beyond."""

import base64
import gzip
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from deadringer.contracts import JsonObject, load_schema
from deadringer.contracts.documents import (
    EntryCounts,
    UnreadableError,
    ValidatedDocument,
    validate_stream,
)

FOLDER = Path(__file__).parent / "recordings"
EXAMPLE = load_schema("execution")["examples"][0]
GOOD = json.dumps({"success": True, "data": EXAMPLE})
WRONG = json.dumps({"success": True, "data": {**EXAMPLE, "duration_ms": 54320}})
PATH = f"/v1/workflows/{EXAMPLE['workflow_id']}/executions/{EXAMPLE['run_id']}"
KEY = "trig_recorded_key_0001"


def validated(recording: str | bytes | JsonObject) -> ValidatedDocument:
    text = json.dumps(recording) if isinstance(recording, dict) else recording
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    (one,) = validate_stream("one.har", stream)
    if isinstance(one, UnreadableError):
        raise one
    return one


def counts_of(recording: str | bytes | JsonObject) -> dict[str, Any]:
    counts = validated(recording).recording
    assert counts is not None
    return counts.as_json()


def rules_of(recording: str | bytes | JsonObject) -> list[tuple[str, str]]:
    """Return (number of the entry, rule) of every violation."""
    found = validated(recording).violations
    return [(one.pointer.split("/")[3], one.rule) for one in found]


def entry(
    content: JsonObject | None = None,
    *,
    remaining: int = 99,
    at: str = "2026-03-27T10:20:00.000Z",
    sent: dict[str, str] | None = None,
    received: dict[str, str] | None = None,
    **response: object,
) -> JsonObject:
    limits = {"RateLimit-Limit": "100", "RateLimit-Remaining": str(remaining)}
    headers = {"Content-Type": "application/json", **limits, "RateLimit-Reset": "60"}
    return {
        "startedDateTime": at,
        "time": 3,
        "request": {
            "method": "GET",
            "url": f"https://api.example{PATH}",
            "headers": listed({"x-api-key": KEY} if sent is None else sent),
        },
        "response": {
            "status": 200,
            "headers": listed(headers | (received or {})),
            "content": {"size": len(GOOD), "text": GOOD} if content is None else content,
            **response,
        },
    }


def listed(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def har(*entries: object, **log: object) -> JsonObject:
    return {"log": {"entries": list(entries), **log}}


TOOLS = {
    "chrome": (10, 3, 1, {"cached": 2, "no_response": 1, "not_http": 1, "other_path": 1,
                          "preflight": 1, "redirect": 1}),
    "firefox": (6, 4, 2, {"cached": 1, "no_response": 1}),
    "safari": (5, 2, 1, {"cached": 2, "no_response": 1}),
    "playwright": (7, 5, 3, {"no_response": 1, "stubbed": 1}),
    "mitmproxy": (5, 3, 1, {"no_response": 1, "not_http": 1}),
    "charles": (4, 2, 1, {"no_response": 1, "other_path": 1}),
    "proxyman": (3, 2, 1, {"no_response": 1}),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_the_recording_of_each_tool_is_validated_without_a_false_alarm(tool: str) -> None:
    total, number, without_body, skipped = TOOLS[tool]
    recording = (FOLDER / f"{tool}.har").read_bytes()

    assert validated(recording).violations == ()
    assert counts_of(recording) == {
        "total": total,
        "validated": number,
        "without_body": without_body,
        "skipped": skipped,
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_a_bug_in_the_recording_of_each_tool_is_found(tool: str) -> None:
    recording = json.loads((FOLDER / f"{tool}.har").read_text("utf-8"))
    first = next(
        one
        for one in recording["log"]["entries"]
        if one["response"]["status"] == 200 and one["response"]["content"].get("text")
    )

    first["response"]["content"] = {"size": len(WRONG), "text": WRONG}

    assert {rule for _, rule in rules_of(recording)} >= {"duration_is_end_minus_start"}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_byte_order_mark_before_a_recording_is_no_obstacle(tool: str) -> None:
    text = (FOLDER / f"{tool}.har").read_text("utf-8")

    assert counts_of(text.encode("utf-8-sig")) == counts_of(text.encode("utf-16"))


def plain(text: bytes) -> str:
    return base64.b64encode(text).decode()


def compressed_by_zlib(text: bytes) -> bytes:
    return zlib.compress(text)


@pytest.mark.parametrize(
    "written",
    [
        plain,
        lambda text: plain(text).rstrip("="),
        lambda text: base64.urlsafe_b64encode(text).decode().rstrip("="),
        lambda text: base64.encodebytes(text).decode().replace("\n", "\r\n"),
    ],
    ids=["padded", "not padded", "URL-safe", "with line ends"],
)
@pytest.mark.parametrize("marks", ["", "?>~ÿ", "ab"])
def test_base64_of_every_kind_is_read(written: Callable[[bytes], str], marks: str) -> None:
    text = WRONG.replace("exec_abc123", f"exec_abc123{marks}")
    content = {"size": 1, "text": written(text.encode()), "encoding": "Base64"}

    assert rules_of(har(entry(content))) == [("0", "duration_is_end_minus_start")]


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", compressed_by_zlib),
        ("zstd", lambda text: zstandard.ZstdCompressor().compress(text)),
        ("BR", brotli.compress),
    ],
)
def test_content_that_is_still_compressed_is_read(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    body = compress(WRONG.encode())
    content = {"size": len(body), "text": plain(body), "encoding": "base64"}
    recording = har(entry(content, received={"Content-Encoding": coding}))
    damaged = {**content, "text": plain(body[: len(body) // 2])}

    assert rules_of(recording) == [("0", "duration_is_end_minus_start")]
    damaged_recording = har(entry(damaged, received={"Content-Encoding": coding}))
    assert counts_of(damaged_recording)["without_body"] == 1
    # The header stays where a tool has decoded the body.
    decoded = har(entry({"text": WRONG}, received={"Content-Encoding": coding}))
    assert rules_of(decoded) == [("0", "duration_is_end_minus_start")]


NOT_RECORDED = {
    "no content": {},
    "only a size": {"size": 1352, "mimeType": "application/json"},
    "an unknown size": {"size": -1, "text": ""},
    "an empty text of some size": {"size": 1352, "text": ""},
    "a text of null": {"size": 0, "text": None},
    "a file beside it": {"size": 1352, "_file": "5f1c0d.json"},
    "a hash": {"size": 1352, "_sha1": "5f1c0d.json"},
    "no base64": {"size": 10, "text": "*** no base64", "encoding": "base64"},
    "an unknown encoding": {"size": 10, "text": "%7B%7D", "encoding": "percent"},
    "cut off": {"size": len(GOOD), "text": GOOD[:500]},
    "compressed bytes as text": {"size": 40, "text": "\x1f\ufffd\b\x00"},
}


@pytest.mark.parametrize("kind", NOT_RECORDED)
def test_a_body_that_was_not_recorded_is_counted_and_not_validated(kind: str) -> None:
    coded = {"Content-Encoding": "gzip"}
    recording = har(entry(NOT_RECORDED[kind], received=coded), entry(remaining=98))

    assert rules_of(recording) == []
    assert counts_of(recording)["without_body"] == 1


@pytest.mark.parametrize(
    ("response", "received"),
    [({"bodySize": 30}, {}), ({}, {"content-length": "30"}), ({"_error": "net::ERR_FAILED"}, {})],
)
def test_an_empty_body_that_was_not_empty_is_not_validated(
    response: JsonObject, received: dict[str, str]
) -> None:
    recording = har(entry({"size": 0, "text": ""}, received=received, **response))

    assert rules_of(recording) == []
    assert counts_of(recording)["without_body"] == 1


def test_a_body_that_was_recorded_as_empty_or_wrong_is_validated() -> None:
    wrong = GOOD.replace("true", "NaN", 1)

    for content in ({"size": 0, "text": ""}, {"size": len(wrong), "text": wrong}):
        assert rules_of(har(entry(content))) == [("0", "answers_are_json")]
    # mitmproxy writes the compressed size, which is larger for short bodies.
    sizes = {"size": 90, "compression": len(wrong) - 90}
    recording = har(entry({"text": wrong, **sizes, "size": len(wrong) + 9}, bodySize=90))
    assert rules_of(recording) == [("0", "answers_are_json")]


@pytest.mark.parametrize(("sent", "expected"), [({"if-none-match": '"a1"'}, 2), ({}, 1)])
def test_a_cached_copy_that_the_server_confirmed_is_a_304(
    sent: dict[str, str], expected: int
) -> None:
    copy = entry(
        {"size": len(WRONG), "text": WRONG},
        remaining=98,
        sent={"x-api-key": KEY, **sent},
        received={"content-type": "text/html"},
        bodySize=0,
        _transferSize=429,
    )

    assert rules_of(har(entry(), copy)) == []
    assert counts_of(har(entry(), copy))["validated"] == expected


def test_a_304_that_nothing_asked_for_is_validated_where_a_proxy_recorded_it() -> None:
    bare = entry({}, status=304)

    assert counts_of(har(entry(remaining=100), bare))["skipped"] == {"cached": 1}
    by_proxy = har(entry(remaining=100), bare, creator={"name": "mitmproxy", "version": "12"})
    assert counts_of(by_proxy)["validated"] == 2


def test_headers_are_read_in_any_case_and_repeated_ones_are_joined() -> None:
    one = entry(sent={":authority": "api.example", "X-API-KEY": KEY})
    one["response"]["headers"] += listed({"RATELIMIT-REMAINING": "99"})
    assert rules_of(har(one)) == []

    one["response"]["headers"] += listed({"ratelimit-remaining": "98"})

    assert {rule for _, rule in rules_of(har(one))} == {"rate_limit_values_fit"}


def step_back(at: int) -> tuple[JsonObject, JsonObject]:
    """Return entries of a completed run, and of the same run that still runs later on."""
    steps = [{**EXAMPLE["steps"][0]}]
    earlier = {**EXAMPLE, "status": "running", "ended_at": None, "duration_ms": None}
    text = json.dumps({"success": True, "data": {**earlier, "steps": steps}})
    late = f"2026-03-27T10:20:{at:02}.000Z"
    return entry(at="2026-03-27T10:20:00.000Z"), entry({"text": text}, remaining=98, at=late)


def test_two_reads_of_one_run_are_compared_by_their_time() -> None:
    first, second = step_back(at=5)

    assert {rule for _, rule in rules_of(har(second, first))} >= {"finished_runs_never_change"}
    assert {number for number, _ in rules_of(har(second, first))} == {"0"}
    second["startedDateTime"] = "2026-03-27T12:19:59+02:00"  # earlier than the first
    second["response"]["headers"] = first["response"]["headers"]
    assert rules_of(har(first, second)) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY, "X-Mock-Session": "other"},
        {"x-api-key": f"{KEY}__session_other"},
        {"authorization": f"Bearer {KEY}"},
    ],
)
def test_reads_of_different_callers_are_not_compared(headers: dict[str, str]) -> None:
    first, second = step_back(at=5)
    assert rules_of(har(first, second))

    second["request"]["headers"] = listed(headers)

    assert rules_of(har(first, second)) == []


def test_a_request_is_sent_after_it_waited_for_a_connection() -> None:
    """Browsers queue requests: the second one starts before the first has ended, and waits."""
    first, second = step_back(at=5)
    first |= {"time": 4_000}
    second |= {"startedDateTime": "2026-03-27T10:20:01.000Z", "time": 5_000}
    assert rules_of(har(first, second)) == []  # concurrent, so their order is unknown

    second["timings"] = {"blocked": 4_000, "dns": -1, "connect": 500, "wait": 500}

    assert {rule for _, rule in rules_of(har(first, second))} >= {"finished_runs_never_change"}


def test_a_definition_that_was_changed_meanwhile_is_not_used() -> None:
    definition = {"trigger": {"kind": "workflows/other", "inputs": {}}, "actions": [], "edges": []}
    moments = {"created": "2026-01-01T00:00:00.000Z", "updated": "2026-01-01T00:00:00.000Z"}
    workflow = {
        "id": EXAMPLE["workflow_id"],
        "name": "x",
        "description": None,
        "status": "PUBLISHED",
        "enabled": True,
        "social_saved_search_id": None,
        "workflow": definition,
        **moments,
    }
    body = json.dumps({"success": True, "message": "found", "data": workflow})
    described = entry({"text": body}, at="2026-03-27T10:00:00.000Z")
    described["request"]["url"] = f"https://api.example/v1/workflows/{EXAMPLE['workflow_id']}"
    changed = entry(at="2026-03-27T10:10:00.000Z")
    changed["request"] |= {"method": "PATCH", "url": described["request"]["url"]}
    read = entry(remaining=98, at="2026-03-27T10:20:00.000Z")

    assert {number for number, _ in rules_of(har(described, read))} == {"1"}
    assert rules_of(har(described, changed, read)) == []


@pytest.mark.parametrize("base", ["https://staging.example", "https://api.example/staging"])
def test_reads_of_different_servers_are_not_compared(base: str) -> None:
    first, second = step_back(at=5)

    second["request"]["url"] = f"{base}{PATH}"

    assert rules_of(har(first, second)) == []


def test_a_key_that_an_exporter_removed_is_no_missing_key() -> None:
    bare = entry(sent={})
    assert rules_of(har(bare)) == []
    other = entry()
    other["request"]["url"] = f"http://127.0.0.1:4010{PATH}"
    assert rules_of(har(bare, other)) == []

    assert rules_of(har(bare, entry())) == [("0", "requests_without_good_key_are_refused")]


def test_a_recording_of_which_nothing_can_be_validated_is_unreadable() -> None:
    blocked = entry(status=0)

    with pytest.raises(UnreadableError, match=r"2 entries, 0 validated, 2 skipped: 1 malformed"):
        validated(har(blocked, None))


@pytest.mark.parametrize("value", [None, [], "text", -1, 10**400, {"a": []}])
@pytest.mark.parametrize(
    "member", ["startedDateTime", "time", "timings", "request", "response", "cache", "_fetchType"]
)
def test_unusual_members_raise_nothing(member: str, value: object) -> None:
    unusual = entry(remaining=98) | {member: value}
    recording = har(entry(), unusual, creator=value, pages=value)

    assert counts_of(recording)["total"] == 2


@pytest.mark.parametrize("value", [None, [], "text", -1, 10**400, True, {"a": []}])
@pytest.mark.parametrize(
    "member",
    ["status", "headers", "content", "bodySize", "_transferSize", "redirectURL", "_charlesStatus"],
)
def test_unusual_members_of_a_response_raise_nothing(member: str, value: object) -> None:
    unusual = entry(remaining=98)
    unusual["response"] |= {"bodySize": 3, member: value}

    assert counts_of(har(entry(), unusual))["total"] == 2


def test_counts_of_several_recordings_are_added() -> None:
    one = validated(har(entry(), None)).recording
    assert one is not None

    both = one + one + EntryCounts()

    assert str(both) == "4 entries, 2 validated, 2 skipped: 2 malformed"
