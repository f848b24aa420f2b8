"""Read a JSON stream: line by line if every line is a document, otherwise as a whole."""

import codecs
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from deadringer.contracts.input_files import LARGEST_DOCUMENT, InputFileError, decoded
from deadringer.contracts.json_text import JsonError, JsonText, parse_json

Progress = Callable[[int], None]


class UnreadableError(ValueError):
    """Input that cannot be validated; the message states where, why and what to do."""


KINDS = "an execution, a response of the API, a page of a list, an array or lines of these, a HAR"
_FIXES = (
    (b"\x1f\x8b", "Unpack it first, with gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "Unpack it first, with zstd -dc"),
    (b"PAR1", "This is Parquet, a table: pass the JSON or NDJSON it was made from"),
)
"""The first bytes of unsupported file formats, and how to convert each."""


class Lines(Protocol):
    """What is read of a stream: its lines, b"" at the end."""

    def readline(self, size: int = -1, /) -> bytes:
        """Return the next line, or the beginning of one that has more than `size` bytes."""


@dataclass(frozen=True, slots=True)
class Read:
    """One document; `line` is its line in an NDJSON stream, None in other files."""

    text: JsonText
    line: int | None


def read_documents(
    name: str, stream: Lines, progress: Progress, *, largest: int = LARGEST_DOCUMENT
) -> Iterator[Read | UnreadableError]:
    """Yield the documents of a stream; `progress` receives the number of bytes of each piece.

    A stream of several lines that are JSON values of their own is NDJSON and read in constant
    memory, whether its first line is one or not. Anything else is read whole, as one document. For
    what is not JSON, the error comes in its place, with line and column. UTF-16 is read too, and
    a byte order mark is passed over. No document may have more than `largest` bytes, however small
    the compressed file is.

    Raises:
        UnreadableError: if a document is larger, or the text is not Unicode.
    """
    lines = _as_utf_8(name, _bounded(name, stream, largest), largest)
    opening = list(_first_lines(name, lines, largest))
    if _are_values([line for line in opening if line.strip()]):
        yield from _read_lines(name, itertools.chain(opening, lines), progress)
        return
    text = _joined(name, itertools.chain(opening, lines), largest)
    progress(len(text))
    yield _read(name, text, 1, None)


def _bounded(name: str, stream: Lines, largest: int) -> Iterator[bytes]:
    while line := stream.readline(largest + 1):
        if len(line) > largest:
            raise _too_large(name, largest)
        yield line


def _as_utf_8(name: str, lines: Iterator[bytes], largest: int) -> Iterator[bytes]:
    """Yield the lines in UTF-8 without a byte order mark, whichever Unicode they are in."""
    first = next(lines, b"")
    encoding = json.detect_encoding(first)
    if encoding.startswith("utf-8"):
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from lines
        return
    try:
        text = decoded(_joined(name, itertools.chain([first], lines), largest))
        yield from text.encode("utf-8").splitlines(keepends=True)
    except (InputFileError, UnicodeEncodeError) as error:
        raise UnreadableError(f"{name}: cannot be read: {error}.") from error


def _joined(name: str, lines: Iterator[bytes], largest: int) -> bytes:
    found: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > largest:
            raise _too_large(name, largest)
        found.append(line)
    return b"".join(found)


def _too_large(name: str, largest: int) -> UnreadableError:
    return UnreadableError(
        f"{name}: a document of more than {largest:,} bytes. Split it, or write one a line."
    )


def _first_lines(name: str, lines: Iterator[bytes], largest: int) -> Iterator[bytes]:
    """Return lines until three of them are not empty."""
    count = size = 0
    while count < 3 and (line := next(lines, b"")):
        count += bool(line.strip())
        size += len(line)
        if size > largest:
            raise _too_large(name, largest)
        yield line


def _are_values(lines: list[bytes]) -> bool:
    """Return whether the first lines are separate documents.

    In one array over several lines, a single line may be a complete value, but neither the first
    line nor both the second and the third, because of the comma between them.
    """
    if len(lines) < 2:
        return False
    first, *others = map(_is_whole, lines)
    return first or all(others)


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _read_lines(
    name: str, lines: Iterator[bytes], progress: Progress
) -> Iterator[Read | UnreadableError]:
    for number, line in enumerate(lines, 1):
        progress(len(line))
        if line.strip():
            yield _read(name, line, number, number)


def _read(name: str, text: bytes, first_line: int, line: int | None) -> Read | UnreadableError:
    if not text.strip():
        return UnreadableError(f"{name}: empty: there is nothing to validate. Pass {KINDS}.")
    other = next((fix for signature, fix in _FIXES if text.startswith(signature)), None)
    if other is not None:
        return UnreadableError(f"{name}: not JSON in UTF-8. {other}.")
    try:
        return Read(parse_json(text), line)
    except JsonError as error:
        number = first_line + max(error.line, 1) - 1
        place = f"{name}:{number}:{error.column}" if error.line else f"{name}:{number}"
        fix = "Correct the syntax"
        if name.lower().endswith(".csv"):
            fix = "A table is not validated: pass the JSON or NDJSON it was made from"
        return UnreadableError(f"{place}: not JSON: {error.reason}. {fix}.")
