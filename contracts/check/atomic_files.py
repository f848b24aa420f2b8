"""Write files atomically: completely or not at all."""

import os
import secrets
import stat
from pathlib import Path

_GIVEN = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Names of what this process has open already: a pipe there has a reader."""


class ReportError(ValueError):
    """A report or baseline cannot be written; the message names the file and the reason."""


def require_writable(path: Path) -> None:
    """Check that a file can be written, before the work that produces its content.

    Raises:
        ReportError: if the file certainly cannot be written.
    """
    if path.is_dir():
        raise ReportError(f"{path} cannot be written: it is a folder. Specify a file in it.")
    if str(path).startswith(_GIVEN):
        return
    mode = _mode_of(path)
    if mode is not None and not stat.S_ISREG(mode):
        if stat.S_ISCHR(mode):
            return
        what = "a named pipe, which may have no reader" if stat.S_ISFIFO(mode) else "no file"
        raise ReportError(f"{path} cannot be written: it is {what}. Specify a file.")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise ReportError(
            f"{path} cannot be written: there is no folder {folder}. Create it, or choose another."
        )
    if not os.access(folder, os.W_OK):
        raise ReportError(
            f"{path} cannot be written: {folder} is not writable. Choose another folder."
        )


def write_atomically(path: Path, text: str) -> None:
    """Write a text file atomically, through a temporary file in its folder; follow links.

    A lone surrogate, which a response may contain, has no UTF-8 form and is written as its escape.
    Devices and pipes, such as /dev/stdout, are written to directly. The permissions of an existing
    file stay; a new file gets those that the umask leaves.

    Raises:
        ReportError: if that is not possible; an existing file then stays unchanged.
    """
    try:
        if _is_stream(path):
            with path.open("a", encoding="utf-8", errors="backslashreplace") as device:
                device.write(text)
        else:
            _replace(path.resolve(), text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"{path} cannot be written: {reason}. Specify a file in an existing folder."
        ) from error


def _is_stream(path: Path) -> bool:
    """Return whether a path is not a regular file, so that it must not be replaced."""
    mode = _mode_of(path)
    return str(path).startswith(_GIVEN) or (mode is not None and not stat.S_ISREG(mode))


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:
        return None


def _replace(path: Path, text: str) -> None:
    existing = _mode_of(path)
    mode = 0o666 if existing is None else stat.S_IMODE(existing) & 0o777
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        if existing is not None:
            temporary.chmod(mode)
        os.replace(temporary, path)  # noqa: PTH105 - replaces an existing file on every system
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
