"""JSON text: parsed strictly, written as UTF-8."""

import copy
import json
import math
import pickle

import pytest

from deadringer.contracts import json_bytes, read_json
from deadringer.contracts.json_text import (
    DEEPEST,
    ExactNumber,
    JsonError,
    exact_json_bytes,
    parse_json,
)


def test_the_compact_form_has_no_blanks_and_keeps_the_order_of_members():
    assert json_bytes({"b": [1, 2.5], "a": None}) == b'{"b":[1,2.5],"a":null}'


def test_the_spaced_form_has_a_blank_after_each_comma_and_colon():
    assert json_bytes({"b": [1, 2]}, compact=False) == b'{"b": [1, 2]}'


@pytest.mark.parametrize("compact", [True, False])
def test_text_is_utf_8_and_half_a_surrogate_pair_its_escape(compact):
    written = json_bytes(["é 🎉", "\ud800"], compact=compact)

    assert "é 🎉".encode() in written
    assert b"\\ud800" in written
    assert json.loads(written) == ["é 🎉", "\ud800"]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1e999]", "{", ""])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text)


def test_what_is_written_reads_back():
    value = {"a": [1, 2.5, True, None, "x"]}

    assert read_json(json_bytes(value)) == value


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ('{"a": "NaN",\n "b": NaN}', "NaN is not a JSON number", 2, 7),
        ("[-Infinity]", "-Infinity is not a JSON number", 1, 2),
        ("{} {}", "Extra data", 1, 4),
        ("[1] x", "Extra data", 1, 5),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark", 1, 1),
        ("\ufeff{}", "it begins with a byte order mark", 1, 1),
        (b"\xff\xfe{\x00}\x00", "UTF-16, not UTF-8", 1, 1),
        (b'"\xed\xa0\x80"', "not UTF-8 at byte 1", 0, 0),
        ('"\ud800"', "half a surrogate pair, which no UTF-8 text can hold", 0, 0),
        ("[" * 100_000, f"nested too deeply, more than {DEEPEST} levels", 0, 0),
        (
            "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
            f"nested too deeply, more than {DEEPEST} levels",
            0,
            0,
        ),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason_and_the_place(text, reason, line, column):
    with pytest.raises(JsonError) as problem:
        parse_json(text)

    assert (problem.value.reason, problem.value.line, problem.value.column) == (
        reason,
        line,
        column,
    )


def test_what_is_json_is_read_however_unusual():
    assert parse_json('"\\ud800"').value == "\ud800"
    assert parse_json("[" * DEEPEST + "]" * DEEPEST).value
    assert parse_json(' {"": 1e3} ').value == {"": 1000.0}
    assert parse_json("[[]," * 200 + "1" + "]" * 200).value


def test_a_number_beyond_a_double_is_infinite_or_refused():
    assert parse_json("[1e400, -1e400]").value == [math.inf, -math.inf]
    assert parse_json("9" * 5000).value == math.inf
    for text in ("[1e400]", "9" * 5000):
        with pytest.raises(JsonError):
            read_json(text)


def test_members_that_stand_twice_are_named_by_their_pointers():
    text = '{"a": [{"b": 1, "b/c": 2, "b/c": 3}], "d": 1, "d": {"e": 1, "e": 2}}'

    assert parse_json(text).repeated == ("/d", "/d/e", "/a/0/b~1c")
    assert parse_json(text).value == {"a": [{"b": 1, "b/c": 3}], "d": {"e": 2}}


@pytest.mark.parametrize("text", ["98765432109876.54321", "0.30000000000000001", "1E+2", "1.50"])
def test_a_number_keeps_its_digits(text):
    value = read_json(f'{{"a": [{text}, 1.5]}}', exact=True)

    assert exact_json_bytes(value) == f'{{"a":[{text},1.5]}}'.encode()
    assert exact_json_bytes(copy.deepcopy(value)) == exact_json_bytes(value)
    assert exact_json_bytes(pickle.loads(pickle.dumps(value))) == exact_json_bytes(value)
    assert value["a"][0] == float(text)


def test_no_text_is_taken_for_a_number():
    value = [ExactNumber("0.10"), "\ue0000", "\ue000\ue0001", {"\ue0000": 1}]

    assert json.loads(exact_json_bytes(value)) == [0.1, *value[1:]]
