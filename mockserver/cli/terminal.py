"""What a terminal gets and a pipe does not: colors, and a line that shows the progress."""

import codecs
import os
import shutil
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TextIO

import click

COLOR_CHOICES = ("auto", "always", "never")
COLOR_HELP = "When to use colors. auto: on a terminal, unless NO_COLOR is set; FORCE_COLOR forces."


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to write colors to a stream.

    `always` and `never` decide; for `auto` that is NO_COLOR, then FORCE_COLOR, then the terminal.
    Neither variable counts while it is empty (https://no-color.org/).
    """
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


_ESCAPING = "deadringer-json"


def _as_json_escapes(error: UnicodeError) -> tuple[str, int]:
    """Return JSON escapes for what an encoding lacks, so that printed JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs), error.end


codecs.register_error(_ESCAPING, _as_json_escapes)


def escape_what_encodings_lack() -> None:
    """Let standard output and standard error escape what their encoding lacks, such as cp1252."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ESCAPING)


def write_out(text: str, *, color: bool = False) -> None:
    """Write a text to standard output, colors included only if `color`.

    Characters that its encoding lacks are escaped. A reader that has closed the pipe is no error.

    Raises:
        OSError: if standard output cannot be written for another reason.
    """
    escape_what_encodings_lack()
    try:
        click.echo(text, nl=False, color=color)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_standard_output()


def drop_standard_output() -> None:
    """Send what is still buffered, or printed later, nowhere: it must not fail at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ProgressLine:
    """One line on standard error that shows what is going on; cleared when the block ends.

    Draws nothing where standard error is no terminal, or one without a cursor.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        is_watched = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._is_drawn = is_watched and not quiet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._draw("")

    def show(self, text: str) -> None:
        """Replace the line; what does not fit is cut off."""
        width = shutil.get_terminal_size().columns
        self._draw(f"… {text}"[: width - 1])

    def _draw(self, line: str) -> None:
        if self._is_drawn:
            click.echo(f"\r\x1b[2K{line}", nl=False, err=True)
            sys.stderr.flush()
