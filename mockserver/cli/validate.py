"""`deadringer validate FILE... | -`: validate stored documents against the contract."""

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any, NoReturn

import click

from deadringer.contracts import Severity, Violation, escaped, workflow_command
from deadringer.contracts.documents import (
    EntryCounts,
    Lines,
    StreamValidator,
    UnreadableError,
    ValidatedDocument,
)
from deadringer.contracts.input_files import InputFileError
from deadringer.contracts.rules import Context, Settings, select
from deadringer.fixtures.output import available_cores, is_compressed, opened, reading_errors

from . import completion
from .grouped import Command, section

STANDARD_INPUT = "-"
_MOST_SHOWN = 20
"""The number of errors shown for unrecognized documents of one file; all are counted."""


rules, output = map(section, ("Rules", "Output"))


@click.command("validate", cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE... | -",
                shell_complete=completion.files)  # fmt: skip
@rules("--only", multiple=True, metavar="RULE-OR-GROUP", shell_complete=completion.rules,
       help="Apply only these rules; repeatable.")  # fmt: skip
@rules("--skip", multiple=True, metavar="RULE-OR-GROUP", shell_complete=completion.rules,
       help="Skip these rules; repeatable.")  # fmt: skip
@rules("--strict", is_flag=True, help="Also report undocumented fields.")
@rules("--fail-on", type=click.Choice(["error", "warning"]), default="error",
       help="The lowest severity for exit code 1.")  # fmt: skip
@output("--format", "form", type=click.Choice(["text", "json", "github"]), default="text",
        help="json: a JSON object for each violation; github: workflow annotations.")  # fmt: skip
@output("--workers", type=click.IntRange(min=1), metavar="N",
        show_default="1; every core for large NDJSON", help="Number of processes.")  # fmt: skip
def command(files: tuple[str, ...], form: str, fail_on: str, **parameters: Any) -> None:
    """Validate documents: executions, responses, list pages, arrays, NDJSON, HAR recordings.

    Files named .gz and .zst are decompressed.

    Exit code: 0 clean, 1 violations, 2 unreadable input.
    """
    try:
        chosen = select(only=parameters["only"], skip=parameters["skip"])
    except ValueError as error:
        click.echo(f"deadringer validate: {error}", err=True)
        sys.exit(2)
    context = Context(settings=Settings(strict=parameters["strict"]))
    tally = _Tally(form)
    workers = parameters["workers"] or available_cores()
    with StreamValidator(context=context, rules=chosen, workers=workers) as validator:
        for name in files:
            _validate(name, validator, tally)
    try:
        tally.sum_up()
        sys.stdout.flush()
    except OSError as error:
        _exit_unprintable(error)
    failing = {Severity.ERROR} if fail_on == "error" else set(Severity)
    broken = any(tally.counts[severity] for severity in failing)
    sys.exit(2 if tally.unreadable else int(broken))


def _validate(name: str, validator: StreamValidator, tally: "_Tally") -> None:
    """Validate one file or standard input, and print what is found."""
    try:
        with _opened(name) as (stream, progress):
            for result in validator.validate(name, stream, progress=progress):
                tally.take(name, result)
        tally.end(name)
    except UnreadableError as error:
        tally.take(name, error)
        tally.end(name)
    except BrokenExecutor:
        click.echo(
            "deadringer validate: a worker process ended early. If memory ran out, use fewer "
            "--workers.",
            err=True,
        )
        sys.exit(2)
    except OSError as error:
        _exit_unprintable(error)


def _exit_unprintable(error: OSError) -> NoReturn:
    """Exit with code 2: standard output cannot be written. Silent if its reader closed the pipe."""
    if not isinstance(error, BrokenPipeError):
        click.echo(f"deadringer validate: cannot print: {error.strerror or error}.", err=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(2)


class _Tally:
    """Prints violations as they come and keeps counts only, so that memory stays small."""

    def __init__(self, form: str) -> None:
        self._form = form
        self.counts: Counter[Severity] = Counter()
        self.unreadable = 0
        self._unreadable_here = 0
        self._documents = 0
        self._entries = EntryCounts()

    def take(self, name: str, result: ValidatedDocument | UnreadableError) -> None:
        """Count and print one document's violations, or why it could not be validated."""
        if isinstance(result, UnreadableError):
            self.unreadable += 1
            self._unreadable_here += 1
            if self._unreadable_here <= _MOST_SHOWN:
                click.echo(escaped(f"deadringer validate: {result}"), err=True)
            return
        self._documents += 1
        if result.recording is not None:
            self._entries += result.recording
        for violation in result.violations:
            self.counts[violation.severity] += 1
            click.echo(escaped(_WRITERS[self._form](name, result.line, violation)))

    def end(self, name: str) -> None:
        """Print how many unrecognized documents of a file were not shown."""
        more = self._unreadable_here - _MOST_SHOWN
        if more > 0:
            click.echo(f"deadringer validate: {name}: {more} more cannot be validated.", err=True)
        self._unreadable_here = 0

    def sum_up(self) -> None:
        """Print the summary."""
        counts = {severity.value: self.counts[severity] for severity in Severity}
        if self._form == "json":
            summary: dict[str, Any] = {"documents": self._documents, **counts}
            summary["unreadable"] = self.unreadable
            if self._entries.entries:
                summary["har_entries"] = self._entries.as_json()
            click.echo(json.dumps({"summary": summary}))
            return
        if self._entries.entries:
            click.echo(f"HAR: {self._entries}")
        found = ", ".join(f"{count} {name}(s)" for name, count in counts.items())
        unreadable = f", {self.unreadable} unreadable" if self.unreadable else ""
        click.echo(f"{self._documents} document(s): {found}{unreadable}")


def _text_line(name: str, line: int | None, violation: Violation) -> str:
    place = f"{name}:{line}" if line else name
    return (
        f"{place} {violation.pointer or '/'} {violation.severity.value} {violation.rule} "
        f"{violation.message}; fix: {violation.fix}"
    )


def _json_line(name: str, line: int | None, violation: Violation) -> str:
    return json.dumps(
        {
            "file": name,
            "line": line,
            "pointer": violation.pointer,
            "rule": violation.rule,
            "severity": violation.severity.value,
            "expected": violation.expected,
            "got": violation.got,
            "fix": violation.fix,
            "source": violation.source,
        },
        ensure_ascii=False,
    )


def _github_line(name: str, line: int | None, violation: Violation) -> str:
    message = f"{violation.pointer or '/'}: {violation.message}. Fix: {violation.fix}"
    kind = violation.severity.value
    return workflow_command(kind, message, file=name, line=line or 1, title=violation.rule)


_WRITERS: dict[str, Callable[[str, int | None, Violation], str]] = {
    "text": _text_line,
    "json": _json_line,
    "github": _github_line,
}


@contextlib.contextmanager
def _opened(name: str) -> Iterator[tuple[Lines, Callable[[int], None]]]:
    """Open a file or standard input, with a progress bar where a person watches a file."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer, lambda _count: None
        return
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(opened(Path(name)))
            size = Path(name).stat().st_size
        except InputFileError as error:
            fix = f" Name the files in it: {Path(name) / '*.json'}" if Path(name).is_dir() else ""
            raise UnreadableError(f"{name}: {error}.{fix}") from error
        except OSError as error:
            fix = "Name a readable file, or - for standard input."
            raise UnreadableError(f"{name}: {error.strerror or error}. {fix}") from error
        if not sys.stderr.isatty() or is_compressed(Path(name)):
            progress: Callable[[int], None] = lambda _count: None  # noqa: E731 - one of two
        else:
            bar = click.progressbar(length=size, label=name, file=sys.stderr)
            progress = stack.enter_context(bar).update
        yield _Readable(name, stream), progress


class _Readable:
    """A file read by lines; errors in its compression name the file."""

    def __init__(self, name: str, stream: Lines) -> None:
        self._name = name
        self._stream = stream

    def readline(self, size: int = -1, /) -> bytes:
        """Return the next line, or `size` bytes of it; b"" at the end."""
        try:
            return self._stream.readline(size)
        except reading_errors() as error:
            raise UnreadableError(
                f"{self._name}: damaged: {error}. Write or fetch it again."
            ) from error
