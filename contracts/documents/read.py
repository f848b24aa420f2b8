"""Reading a stream of JSON: line by line where every line is a document, else as a whole."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from deadringer.contracts.json_types import Json

Progress = Callable[[int], None]


class UnreadableError(ValueError):
    """Input that cannot be validated; the message says where, why and what to do."""


KINDS = "an execution, a response of the API, a page of a list, an array or lines of these, a HAR"
_FIXES = (
    (b"\x1f\x8b", "Unpack it first, with gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "Unpack it first, with zstd -dc"),
    (b"PAR1", "This is Parquet, a table: pass the JSON or NDJSON it was made from"),
)
"""How files of another kind begin, and what to do with them."""


@dataclass(frozen=True, slots=True)
class Read:
    """One document; `line` is where it stands in an NDJSON stream, None in other files."""

    document: Json
    line: int | None


def read_documents(
    name: str, stream: BinaryIO, progress: Progress
) -> Iterator[Read | UnreadableError]:
    """Yield the documents of a stream; `progress` is told how many bytes each piece had.

    A stream of several lines that are JSON values of their own is NDJSON and read in constant
    memory, whether its first line is one or not. Anything else is read whole, as one document. For
    what is not JSON in UTF-8, the error comes in its place, with line and column.
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
    """Return lines until three of them say something."""
    count = 0
    while count < 3 and (line := next(lines, b"")):
        count += bool(line.strip())
        yield line


def _are_values(lines: list[bytes]) -> bool:
    """Return whether the first lines are documents of their own.

    In an array that is written over several lines, one line of its own may be a whole value: but
    not the first, nor the second and the third, which a comma parts.
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
    other = next((fix for magic, fix in _FIXES if text.startswith(magic)), None)
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
