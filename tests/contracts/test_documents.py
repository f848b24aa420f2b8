"""Stored documents are validated within bounds, whatever bytes they have."""

import base64
import io
import json
import math

import pytest

from deadringer.contracts import JsonObject, Violation, load_schema
from deadringer.contracts.documents import UnreadableError, validate_document, validate_stream
from deadringer.contracts.rules import validate_execution

EXAMPLE = load_schema("execution")["examples"][0]


def validated(text: str | bytes, **options: int) -> list[Violation | UnreadableError]:
    """Return the violations and unreadable parts of a text."""
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    found: list[Violation | UnreadableError] = []
    for one in validate_stream("one.json", stream, **options):
        found += [one] if isinstance(one, UnreadableError) else one.violations
    return found


def har(content: JsonObject, **changes: object) -> str:
    """Return a recording of one read of the example."""
    ids = f"{EXAMPLE['workflow_id']}/executions/{EXAMPLE['run_id']}"
    entry = {
        "startedDateTime": "2026-03-27T10:20:00.000Z",
        "time": 3,
        "request": {
            "method": "GET",
            "url": f"https://api.test/v1/workflows/{ids}",
            "headers": [{"name": "x-api-key", "value": "trig_recorded_key_000"}],
        },
        "response": {
            "status": 200,
            "headers": [
                {"name": name, "value": value}
                for name, value in {
                    "Content-Type": "application/json",
                    "RateLimit-Limit": "100",
                    "RateLimit-Remaining": "99",
                    "RateLimit-Reset": "60",
                }.items()
            ],
            "content": content,
        },
    }
    return json.dumps({"log": {"entries": [entry | changes]}})


def rules_of(text: str) -> set[str]:
    return {one.rule for one in validated(text) if isinstance(one, Violation)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": NaN}', "one.json:1:7: not JSON: NaN is not a JSON number"),
        ('{"a":\n Infinity}', "one.json:2:2: not JSON: Infinity is not a JSON number"),
        ("{} trailing", "one.json:1:4: not JSON: Extra data"),
        (b'{"a": "\xed\xa0\x80"}', "one.json:1: not JSON: not UTF-8 at byte 7"),
        ("[" * 5000, "one.json:1: not JSON: nested too deeply, more than 300 levels"),
    ],
)
def test_bytes_that_are_no_json_are_unreadable(text: str | bytes, message: str) -> None:
    (problem,) = validated(text)

    assert isinstance(problem, UnreadableError)
    assert str(problem).startswith(message)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("lines", [1, 3])
def test_every_unicode_encoding_is_read(encoding: str, lines: int) -> None:
    text = "\r\n".join([json.dumps(EXAMPLE)] * lines)

    assert validated(text.encode(encoding)) == []


def test_a_member_that_stands_twice_is_a_warning_at_its_place() -> None:
    text = json.dumps([EXAMPLE]).replace('"status": ', '"status": "failed", "status": ', 1)

    (found,) = validated(text)

    assert isinstance(found, Violation)
    assert (found.rule, found.pointer, found.severity) == (
        "members_stand_once",
        "/0/status",
        "warning",
    )


@pytest.mark.parametrize("number", ["10000000000000000", "-1e300", "1e400", "9" * 5000])
def test_a_duration_that_readers_read_differently_is_an_error(number: str) -> None:
    text = json.dumps(EXAMPLE).replace(
        f'"duration_ms": {EXAMPLE["duration_ms"]}', f'"duration_ms": {number}'
    )

    assert "numbers_are_read_alike" in rules_of(text)


def test_numbers_in_free_content_are_free_up_to_a_double() -> None:
    text = json.dumps(EXAMPLE)
    large = text.replace('"output": {', '"output": {"n": 123456789012345678901234567890, ', 1)
    beyond = text.replace('"output": {', '"output": {"n": 1e400, ', 1)

    assert rules_of(large) == set()
    assert rules_of(beyond) == {"numbers_are_read_alike"}
    assert [one.severity for one in validated(beyond) if isinstance(one, Violation)] == ["warning"]


def test_nan_in_a_parsed_document_is_an_error() -> None:
    steps = [{**EXAMPLE["steps"][0], "input": {"n": math.nan}}, *EXAMPLE["steps"][1:]]

    (found,) = validate_document({**EXAMPLE, "steps": steps})

    assert (found.rule, found.pointer) == ("numbers_are_read_alike", "/steps/0/input/n")


@pytest.mark.parametrize(
    "number",
    [10**400, -(10**400), 10**5000, math.inf, 1e308],
    ids=["large", "negative", "more than Python writes", "infinite", "a double"],
)
def test_a_parsed_number_of_any_size_is_validated(number: float) -> None:
    found = validate_document({**EXAMPLE, "duration_ms": number})

    assert "numbers_are_read_alike" in {one.rule for one in found}
    assert "numbers_are_read_alike" not in {
        one.rule for one in validate_document({**EXAMPLE, "extra": 10**400})
    }


@pytest.mark.parametrize("text", ["x" * 2000, "\n" * 2000, "[\n" * 1000, "{}\n" + "y" * 2000])
def test_a_document_beyond_the_limit_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="more than 1,000 bytes"):
        validated(text, largest=1000)


def test_lines_have_no_limit_together() -> None:
    assert validated("\n".join([json.dumps(EXAMPLE)] * 40), largest=5000) == []


@pytest.mark.parametrize("index", ["9" * 5000, "0" * 5000, "٣", "1" * 4301])
def test_an_index_of_any_length_in_a_column_is_read(index: str) -> None:
    column = {**EXAMPLE["column_config"][0], "fieldPath": f"result.items[{index}]"}
    step = {**EXAMPLE["steps"][0], "output": {"result": {"items": ["a"]}}, "mapped_output": None}
    execution = {**EXAMPLE, "column_config": [column], "steps": [step]}

    validate_execution(execution)


@pytest.mark.parametrize(
    "content",
    [
        {"size": 1352, "mimeType": "application/json"},
        {"size": -1},
        {"size": 1352, "text": ""},
        {"size": 10, "text": "*** no base64", "encoding": "base64"},
        {},
    ],
)
def test_a_body_that_was_not_recorded_is_not_judged(content: JsonObject) -> None:
    assert validated(har(content)) == []


def test_a_recorded_body_is_judged() -> None:
    good = json.dumps({"success": True, "data": EXAMPLE})
    encoded = base64.b64encode(good.encode()).decode()

    assert rules_of(har({"size": 0, "text": ""})) == {"answers_are_json"}
    assert rules_of(har({"text": good.replace(" true", " NaN", 1)})) == {"answers_are_json"}
    assert rules_of(har({"text": "\ufeff" + good})) == {"answers_are_json"}
    assert rules_of(har({"text": good})) == set()
    assert rules_of(har({"text": encoded, "encoding": "base64"})) == set()


def test_odd_members_of_a_recording_raise_nothing() -> None:
    good = {"text": json.dumps({"success": True, "data": EXAMPLE})}

    assert validated(har(good, time=10**400)) == []
    (problem,) = validated(har(good, request={"method": "GET", "url": "http://[v1/workflows"}))
    assert isinstance(problem, UnreadableError)
