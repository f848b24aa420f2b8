"""Read a JSON stream: line by line if every line is a document, otherwise as a whole."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from deadringer.contracts.json_types import Json

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


@dataclass(frozen=True, slots=True)
class Read:
    """One document; `line` is its line in an NDJSON stream, None in other files."""

    document: Json
    line: int | None


def read_documents(
    name: str, stream: BinaryIO, progress: Progress
) -> Iterator[Read | UnreadableError]:
    """Yield the documents of a stream; `progress` receives the number of bytes of each piece.

    A stream of several lines that are each a JSON value is NDJSON and read in constant memory, even
    if its first line is invalid. Anything else is read as one document. Where input is not JSON in
    UTF-8, the error is yielded instead, with line and column.
    """
    lines = iter(stream.readline, b"")
    opening = list(_first_lines(lines))
    if _are_values([line for line in opening if line.strip()]):
        yield from _read_lines(name, itertools.chain(opening, lines), progress)
        return
    text = b"".join([*opening, *lines])
    progress(len(text))
    yield _read(name, text, 1, None)


def _first_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines up to the third that is not blank."""
    count = 0
    while count < 3 and (line := next(lines, b"")):
        count += bool(line.strip())
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
        return Read(json.loads(text), line)
    except json.JSONDecodeError as error:
        number = first_line + error.lineno - 1
        fix = "Correct the syntax"
        if name.lower().endswith(".csv"):
            fix = "A table is not validated: pass the JSON or NDJSON it was made from"
        return UnreadableError(f"{name}:{number}:{error.colno}: not JSON: {error.msg}. {fix}.")
    except UnicodeDecodeError as error:
        place = f"{name}:{line}" if line else name
        return UnreadableError(f"{place}: not UTF-8: {error}. Save it as UTF-8.")
    except ValueError as error:  # a number of thousands of digits
        return UnreadableError(f"{name}:{first_line}: cannot be read: {error}.")
    except RecursionError:
        return UnreadableError(f"{name}:{first_line}:1: nested too deeply to be read.")
