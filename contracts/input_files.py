"""Files that people hand over, read alike at every door: bounded, never blocking, any Unicode."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LARGEST_DOCUMENT = 256 * 1024 * 1024
"""Bytes of one document, uncompressed."""
_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)
_GIVEN_PIPES = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Names of what this process has open already: a pipe there has a writer."""


class InputFileError(ValueError):
    """A file cannot be read; the message states why, without the file's name."""


class PassedOver(NamedTuple):
    """An entry of a folder that is not read, and why."""

    path: Path
    reason: str


def open_descriptor(path: Path) -> int:
    """Return a descriptor of a regular file, a device, or a pipe that was handed to the process.

    Raises:
        InputFileError: if it is anything else. A named pipe could block for ever.
        OSError: if it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY)
    try:
        _require_readable(path, os.fstat(descriptor).st_mode)
        if _NONBLOCK:  # Windows has neither the flag nor this call for regular files
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_readable(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputFileError("it is a folder")
    if stat.S_ISFIFO(mode) and not str(path).startswith(_GIVEN_PIPES):
        raise InputFileError("it is a named pipe, which may never end: pass it as standard input")


def read_file(path: Path, *, largest: int = LARGEST_DOCUMENT) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputFileError: if it is a folder or a named pipe, or has more bytes than `largest`.
        OSError: if it cannot be opened or read.
    """
    with os.fdopen(open_descriptor(path), "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise InputFileError(f"it has more than {largest:,} bytes")
    return content


def decoded(content: bytes) -> str:
    """Return the text of UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        InputFileError: if it is none of them; the message names the byte.
    """
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        name = encoding.upper().removesuffix("-SIG")
        raise InputFileError(f"it is not {name} at byte {error.start}; save it as UTF-8") from error


def read_text_file(path: Path, *, largest: int = LARGEST_DOCUMENT) -> str:
    """Return the text of a file.

    Raises:
        InputFileError: if it cannot be read: missing, too large, a named pipe, no Unicode.
    """
    try:
        return decoded(read_file(path, largest=largest))
    except OSError as error:
        raise InputFileError(error.strerror or str(error)) from error


def json_files(folder: Path) -> tuple[list[Path], list[PassedOver]]:
    """Return the `.json` files of a folder by name, and the entries that are passed over.

    Hidden files, folders, named pipes and sockets, links to nowhere and second names of one file
    are passed over, and files with another ending.

    Raises:
        OSError: if the folder cannot be read.
    """
    found: list[Path] = []
    left: list[PassedOver] = []
    seen: dict[tuple[int, int], Path] = {}
    for path in sorted(folder.iterdir(), key=lambda one: (one.is_symlink(), one.name)):
        reason = next(_reasons(path, seen), None)
        if reason is None:
            found.append(path)
        else:
            left.append(PassedOver(path, reason))
    return sorted(found), sorted(left)


def _reasons(path: Path, seen: dict[tuple[int, int], Path]) -> Iterator[str]:
    """Yield the first reason not to read a path; remember the file where there is none."""
    if path.name.startswith("."):
        yield "a hidden file"
        return
    try:
        status = path.stat()
    except OSError as error:
        if path.is_symlink():
            yield f"a link that leads nowhere: {error.strerror or error}"
        return  # reading it reports the error
    if stat.S_ISDIR(status.st_mode):
        yield "a folder: only the folder itself is read"
    elif not stat.S_ISREG(status.st_mode):
        yield "not a regular file"
    elif path.suffix != ".json":
        yield "its name does not end in .json"
    else:
        first = seen.setdefault((status.st_dev, status.st_ino), path)
        if first is not path and path.is_symlink():
            yield f"a link to {first.name}, which is read already"
