"""JSON text according to RFC 8259: strict when parsing, UTF-8 when writing."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .json_types import Json, JsonObject
from .violations import pointer_to

DEEPEST = 300
"""How deep arrays and objects may be nested: what reads a document may recurse into it."""
_LONGEST_INTEGER = 4_300
"""Digits; Python reads no longer ones."""

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_spaced = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?[0-9][0-9.eE+-]*', re.DOTALL)
_MARK = "\ue000"


class JsonError(ValueError):
    """A text is not JSON; `reason` states why, `line` and `column` (from 1) where, 0 if unknown."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        place = f" at line {line}, column {column}" if line else ""
        super().__init__(f"{reason}{place}")
        self.reason = reason
        self.line = line
        self.column = column


class ExactNumber(float):
    """A number that no double has, with its digits as they were written."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        """Return the nearest double, which keeps the text."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override] # made from its text
        return (self.text,)

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class JsonText:
    """What a JSON text holds: its value, and the JSON Pointers of members that stand there twice.

    Of a repeated member the value is the last one. A number beyond a double is infinite.
    """

    value: Json
    repeated: tuple[str, ...] = ()


def parse_json(text: str | bytes) -> JsonText:
    """Return what a JSON text holds, by the grammar of RFC 8259; bytes must be UTF-8 without BOM.

    Raises:
        JsonError: if it is not JSON: NaN, Infinity, a byte order mark, half a surrogate pair in
            UTF-8, anything after the value, or nested deeper than DEEPEST.
    """
    return _parsed(_decoded(text))


def read_json(text: str | bytes, *, exact: bool = False) -> Json:
    """Return the value of a JSON text in which every number is finite.

    With `exact`, a number that a double would change is an ExactNumber, which
    `exact_json_bytes` writes as it was.

    Raises:
        JsonError: if it is not JSON (see `parse_json`), or a number in it is beyond a double.
    """
    return read_json_text(text, exact=exact).value


def read_json_text(text: str | bytes, *, exact: bool = False) -> JsonText:
    """Return what `read_json` returns, with the pointers of repeated members.

    Raises:
        JsonError: as `read_json` does.
    """
    read_float = _finite_and_exact if exact else _finite
    return _parsed(_decoded(text), parse_float=read_float, parse_int=_integer)


def json_bytes(value: Json, *, compact: bool = True) -> bytes:
    """Return a value as JSON in UTF-8, members in their order; by default without whitespace.

    A lone surrogate, which has no UTF-8 form, is written as its escape. The bytes of generated
    documents are stable, because users pin their hashes.
    """
    encode = _compact if compact else _spaced
    return encode(value).encode("utf-8", "backslashreplace")


def exact_json_bytes(value: Json, *, compact: bool = True) -> bytes:
    """Return a value as `json_bytes` does, each ExactNumber with its own digits."""
    plain = json_bytes(value, compact=compact)
    if not _has_exact_numbers(value):
        return plain
    mark = _MARK
    while mark.encode() in plain:
        mark += _MARK
    numbers: list[str] = []
    written = json_bytes(_marked(value, mark, numbers), compact=compact).decode()
    return re.sub(
        f'"{mark}([0-9]+)"', lambda found: numbers[int(found[1])], written, flags=re.ASCII
    ).encode()


def _has_exact_numbers(value: Json) -> bool:
    waiting = [[value]]
    while waiting:
        held = waiting.pop()
        kinds = set(map(type, held))  # most values are in long lists of one kind
        if ExactNumber in kinds:
            return True
        if dict in kinds or list in kinds:
            waiting += [[*one.values()] for one in held if isinstance(one, dict)]
            waiting += [one for one in held if isinstance(one, list)]
    return False


def _marked(value: Json, mark: str, numbers: list[str]) -> Json:
    """Return a copy in which a text stands for each exact number."""
    if isinstance(value, ExactNumber):
        numbers.append(value.text)
        return f"{mark}{len(numbers) - 1}"
    if isinstance(value, dict):
        return {name: _marked(one, mark, numbers) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, mark, numbers) for one in value]
    return value


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise JsonError("half a surrogate pair, which no UTF-8 text can hold")
        decoded = text
    else:
        if text.startswith((b"\xfe\xff", b"\xff\xfe")):
            raise JsonError("UTF-16, not UTF-8", 1, 1)
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise JsonError(f"not UTF-8 at byte {error.start}") from error
    if decoded.startswith("\ufeff"):
        raise JsonError("it begins with a byte order mark", 1, 1)
    return decoded


def _parsed(text: str, **hooks: Any) -> JsonText:
    repeated: list[tuple[JsonObject, list[str]]] = []

    def members_of(pairs: list[tuple[str, Json]]) -> JsonObject:
        found = dict(pairs)
        if len(found) != len(pairs):
            times = Counter(name for name, _ in pairs)
            repeated.append((found, [name for name, count in times.items() if count > 1]))
        return found

    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=members_of, **hooks)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno, error.colno) from error
    except _NotANumberError as error:
        raise JsonError(error.reason, *_place_of(text, error.written)) from error
    except ValueError:  # an integer of more digits than Python reads
        if "parse_int" in hooks:
            raise
        return _parsed(text, parse_int=_whole, **hooks)
    except RecursionError as error:
        raise JsonError(_TOO_DEEP) from error
    _require_depth(text, value)
    pointers = tuple(_pointers_of(value, repeated)) if repeated else ()
    return JsonText(value, pointers)


_TOO_DEEP = f"nested too deeply, more than {DEEPEST} levels"


class _NotANumberError(Exception):
    """A number that is refused; not a ValueError, which `json` may raise too."""

    def __init__(self, written: str, reason: str) -> None:
        self.written = written
        self.reason = reason


def _refuse(name: str) -> float:
    raise _NotANumberError(name, f"{name} is not a JSON number")


def _whole(text: str) -> int | float:
    if len(text) > _LONGEST_INTEGER:
        return -math.inf if text.startswith("-") else math.inf
    return int(text)


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise _NotANumberError(text, f"an integer of {len(text)} digits is too long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotANumberError(text, f"{text[:40]} is beyond a double, the number most readers use")
    return number


def _finite_and_exact(text: str) -> float:
    _finite(text)
    return exact_number(text)


def exact_number(text: str) -> float:
    """Return a JSON number with its digits: an ExactNumber unless a double has them."""
    number = float(text)
    return number if repr(number) == text else ExactNumber(text)


def _place_of(text: str, written: str) -> tuple[int, int]:
    """Return line and column of the first token that is written so, outside of strings."""
    for token in _TOKENS.finditer(text):
        if token[0] == written:
            before = text[: token.start()]
            return before.count("\n") + 1, len(before) - before.rfind("\n")
    return 0, 0


def _require_depth(text: str, value: Json) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise JsonError(_TOO_DEEP)
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]


def _pointers_of(value: Json, repeated: list[tuple[JsonObject, list[str]]]) -> Iterator[str]:
    names_of = {id(holder): names for holder, names in repeated}
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        pointer, one = waiting.pop()
        if isinstance(one, dict):
            for name in dict.fromkeys(names_of.get(id(one), ())):
                yield pointer + pointer_to(name)
            waiting += [(pointer + pointer_to(name), child) for name, child in one.items()]
        elif isinstance(one, list):
            waiting += [(f"{pointer}/{index}", child) for index, child in enumerate(one)]
