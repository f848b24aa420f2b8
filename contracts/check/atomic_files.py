"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path


class ReportError(ValueError):
    """A report or baseline cannot be written; the message says which file and why."""


def require_writable(path: Path) -> None:
    """Look whether a file could be written, before the work whose result it is to hold.

    Raises:
        ReportError: if it is plain already that it cannot.
    """
    if path.is_dir():
        raise ReportError(f"{path} cannot be written: it is a folder. Name a file in it.")
    if _is_device(path):
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise ReportError(
            f"{path} cannot be written: there is no folder {folder}. Make it, or name another."
        )
    if not os.access(folder, os.W_OK):
        raise ReportError(
            f"{path} cannot be written: nothing may be written in {folder}. Name another folder."
        )


def write_atomically(path: Path, text: str) -> None:
    """Write a text file through a temporary one beside it; where a link leads, if it is one.

    Half a surrogate pair, which a response may hold, has no UTF-8 form: its escape is written.
    A device, such as /dev/stdout, is written to as it is.

    Raises:
        ReportError: if that is not possible; an older file is then left as it was.
    """
    try:
        if _is_device(path):
            with path.open("a", encoding="utf-8", errors="backslashreplace") as device:
                device.write(text)
        else:
            _replace(path.resolve(), text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"{path} cannot be written: {reason}. Name a file in a folder that exists."
        ) from error


def _is_device(path: Path) -> bool:
    """Return whether a path is no file to be replaced: another kind of thing, or a name for one."""
    return path.is_relative_to("/dev") or (path.exists() and not path.is_file())


def _replace(path: Path, text: str) -> None:
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            errors="backslashreplace",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 - the same on every system, old file or not
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise
