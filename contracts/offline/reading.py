"""Reading a stream of JSON: line by line where every line is a document, else as a whole."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from contracts.json_types import Json

Progress = Callable[[int], None]


class UnreadableError(ValueError):
    """Input that cannot be judged; the message says where, why and what to do."""


_PACKED = ((b"\x1f\x8b", "gzip -dc"), (b"\x28\xb5\x2f\xfd", "zstd -dc"))
"""How compressed files begin, and what unpacks them."""


@dataclass(frozen=True, slots=True)
class Read:
    """One document; `line` is where it stands in an NDJSON stream, None in other files."""

    document: Json
    line: int | None


def read_documents(name: str, stream: BinaryIO, progress: Progress) -> Iterator[Read]:
    """Yield the documents of a stream; `progress` is told how many bytes each piece had.

    A stream whose first line is a whole JSON value, with more lines below, is NDJSON and read
    in constant memory. Anything else is read whole, as one document.

    Raises:
        UnreadableError: if it is not JSON in UTF-8, with line and column.
    """
    lines = iter(stream.readline, b"")
    opening = list(itertools.islice(lines, 2))
    if len(opening) == 2 and _is_whole(opening[0]):
        yield from _read_lines(name, itertools.chain(opening, lines), progress)
        return
    text = b"".join([*opening, *lines])
    progress(len(text))
    yield Read(_parsed(name, text, 1), None)


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _read_lines(name: str, lines: Iterator[bytes], progress: Progress) -> Iterator[Read]:
    for number, line in enumerate(lines, 1):
        progress(len(line))
        if line.strip():
            yield Read(_parsed(name, line, number), number)


def _parsed(name: str, text: bytes, first_line: int) -> Json:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise UnreadableError(
            f"{name}:{line}:{error.colno}: not JSON: {error.msg}. Correct the syntax."
        ) from error
    except UnicodeDecodeError as error:
        packed = next((way for magic, way in _PACKED if text.startswith(magic)), None)
        fix = f"Unpack it first, with {packed}." if packed else "Save it as UTF-8."
        raise UnreadableError(f"{name}: not UTF-8: {error}. {fix}") from error
    except RecursionError as error:
        raise UnreadableError(f"{name}:{first_line}:1: nested too deeply to be read.") from error
