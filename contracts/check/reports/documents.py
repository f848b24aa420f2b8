"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path


class ReportError(ValueError):
    """A report or baseline cannot be written; the message says which file and why."""


def write_atomically(path: Path, text: str) -> None:
    """Write a text file through a temporary one beside it.

    Half a surrogate pair, which an answer may hold, has no UTF-8 form: its escape is written.

    Raises:
        ReportError: if that is not possible; an older file is then left as it was.
    """
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
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ReportError(
            f"{path} cannot be written: {reason}. Name a file in a folder that exists."
        ) from error
