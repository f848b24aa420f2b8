"""Read a JSON stream: line by line if every line is a document, otherwise as a whole."""

import codecs
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from deadringer.contracts.input_files import LARGEST_DOCUMENT, InputFileError, decoded
from deadringer.contracts.json_text import JsonError, JsonText, parse_json

Progress = Callable[[int], None]


class UnreadableError(ValueError):
    """Input that cannot be validated; the message states where, why and what to do."""


KINDS = (
    "an execution, a workflow, a response of the API, a page of a list, an array or lines of "
    "these, a HAR"
)
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
class Text:
    """The lines of a stream, in UTF-8; `is_ndjson` is whether each is a document of its own."""

    lines: Iterator[bytes]
    is_ndjson: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One document; `line` is its line in an NDJSON stream, None in other files."""

    text: JsonText
    line: int | None


def read_documents(
    name: str, stream: Lines, progress: Progress, *, largest: int = LARGEST_DOCUMENT
) -> Iterator[Read | UnreadableError]:
    """Yield the documents of a stream; `progress` receives the number of bytes of each piece.

    NDJSON is read in constant memory. Anything else is read whole, as one document. For what is
    not JSON, the error comes in its place, with line and column. No document may have more than
    `largest` bytes, however small the compressed file is.

    Raises:
        UnreadableError: if a document is larger, or the text is not Unicode.
    """
    text = text_of(name, stream, progress, largest=largest)
    if text.is_ndjson:
        yield from read_lines(name, enumerate(text.lines, 1))
    else:
        yield read_whole(name, text.lines, largest=largest)


def text_of(
    name: str, stream: Lines, progress: Progress, *, largest: int = LARGEST_DOCUMENT
) -> Text:
    """Return the lines of a stream; `progress` receives the number of bytes of each that is used.

    A stream of several lines that are JSON values of their own is NDJSON, whether its first line is
    one or not. UTF-16 is read too, and a byte order mark is passed over. The lines are lazy.

    Raises:
        UnreadableError: also later, if a document is larger, or the text is not Unicode.
    """
    lines = _as_utf_8(name, _bounded(name, stream, largest), largest)
    opening = list(_first_lines(name, lines, largest))
    is_ndjson = _are_values([line for line in opening if line.strip()])
    return Text(_reported(itertools.chain(opening, lines), progress), is_ndjson)


def _reported(lines: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for line in lines:
        progress(len(line))
        yield line


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


def read_whole(
    name: str, lines: Iterator[bytes], *, largest: int = LARGEST_DOCUMENT
) -> Read | UnreadableError:
    """Return the one document that all lines are together.

    Raises:
        UnreadableError: if it is larger than `largest` bytes.
    """
    return _read(name, _joined(name, lines, largest), 1, None)


def read_lines(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Read | UnreadableError]:
    """Yield the documents of NDJSON, each of its lines with its number."""
    for number, line in lines:
        if line.strip():
            yield _read(name, line, number, number)


def _read(name: str, text: bytes, first_line: int, line: int | None) -> Read | UnreadableError:
    try:
        return Read(parse_json(text), line)
    except JsonError as error:
        return UnreadableError(_why_unreadable(name, text, first_line, error))


def _why_unreadable(name: str, text: bytes, first_line: int, error: JsonError) -> str:
    if not text.strip():
        return f"{name}: empty: there is nothing to validate. Pass {KINDS}."
    other = next((fix for signature, fix in _FIXES if text.startswith(signature)), None)
    if other is not None:
        return f"{name}: not JSON in UTF-8. {other}."
    number = first_line + max(error.line, 1) - 1
    place = f"{name}:{number}:{error.column}" if error.line else f"{name}:{number}"
    fix = "Correct the syntax"
    if name.lower().endswith(".csv"):
        fix = "A table is not validated: pass the JSON or NDJSON it was made from"
    return f"{place}: not JSON: {error.reason}. {fix}."
