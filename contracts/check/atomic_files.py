"""Write files atomically: completely or not at all."""

import os
import tempfile
from pathlib import Path


class ReportError(ValueError):
    """A report or baseline cannot be written; the message names the file and the reason."""


def require_writable(path: Path) -> None:
    """Check that a file can be written, before the work that produces its content.

    Raises:
        ReportError: if the file certainly cannot be written.
    """
    if path.is_dir():
        raise ReportError(f"{path} cannot be written: it is a folder. Specify a file in it.")
    if _is_device(path):
        return
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
    Devices, such as /dev/stdout, are written to directly.

    Raises:
        ReportError: if that is not possible; an existing file then stays unchanged.
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
            f"{path} cannot be written: {reason}. Specify a file in an existing folder."
        ) from error


def _is_device(path: Path) -> bool:
    """Return whether a path is not a regular file, so that it must not be replaced."""
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
        os.replace(temporary, path)  # noqa: PTH105 - replaces an existing file on every system
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise
