"""`deadringer sanitize FILE|DIR...`: replace what is personal or secret in documents."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from deadringer.contracts import escaped
from deadringer.contracts.input_files import InputFileError, PassedOver, read_file
from deadringer.fixtures.sanitize import (
    Detection,
    SanitizeError,
    Sanitizer,
    Source,
    Written,
    find_sources,
    learn_file,
    planned,
    sanitized_pieces,
    write_files,
)

from . import completion
from .grouped import Command, section

_MOST_SHOWN = 12
"""Places of one detector that the text report lists; the JSON report has all."""
_SHORTEST_SALT = 16

output, values, report = map(section, ("Output", "Replacements", "Report"))


@click.command("sanitize", cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR...",
                shell_complete=completion.files)  # fmt: skip
@output("--output", type=click.Path(path_type=Path), metavar="FILE|DIR",
        help="Write here. Without it, a single file goes to standard output.")  # fmt: skip
@output("--in-place", is_flag=True, help="Replace the files themselves.")
@output("--check", is_flag=True,
        help="Write nothing; exit with 1 if a file holds what a detector knows.")  # fmt: skip
@values("--free-text", is_flag=True, help="Replace the words of texts too.")
@values("--salt-env", metavar="NAME",
        help="The variable with the salt, for several calls that agree.")  # fmt: skip
@values("--salt-file", type=click.Path(path_type=Path), metavar="FILE",
        help="The file with the salt.")  # fmt: skip
@report("--format", "form", type=click.Choice(["text", "json"]), default="text",
        help="The form of the report on standard error.")  # fmt: skip
def command(paths: tuple[str, ...], form: str, **options: Any) -> None:
    """Replace names, addresses, handles, phone numbers, ids and secrets in documents and HAR files.

    All files of a call are read first, so that a value has one replacement in all of them. The
    result follows every rule that the original follows.

    Exit code: 0 done or clean, 1 found by --check, 2 unreadable input.
    """
    try:
        _require_one_of(options)
        sanitizer = Sanitizer(_salt(options), free_text=options["free_text"])
        sources, passed_over = find_sources([Path(path) for path in paths])
        totals = {source.path: _learned(sanitizer, source.path) for source in sources}
        plan = _write(sanitizer, sources, options)
    except SanitizeError as error:
        click.echo(escaped(f"deadringer sanitize: {error}"), err=True)
        sys.exit(2)
    _show(form, sanitizer, totals, plan, passed_over)
    sys.exit(1 if options["check"] and sanitizer.findings else 0)


def _learned(sanitizer: Sanitizer, path: Path) -> int:
    """Learn a file; return how many values were found in it."""
    before = sanitizer.total
    learn_file(sanitizer, path)
    return sanitizer.total - before


def _require_one_of(options: dict[str, Any]) -> None:
    chosen = [name for name in ("output", "in_place", "check") if options[name]]
    if len(chosen) > 1:
        shown = " and ".join(f"--{name.replace('_', '-')}" for name in chosen)
        raise SanitizeError(f"{shown} exclude each other. Choose one.")
    if options["salt_env"] and options["salt_file"]:
        raise SanitizeError("--salt-env and --salt-file exclude each other. Choose one.")


def _salt(options: dict[str, Any]) -> bytes | None:
    """Return the salt that was named, None for a random one; it is never shown."""
    name, path = options["salt_env"], options["salt_file"]
    if name:
        salt = os.environ.get(name, "").encode("utf-8", "surrogateescape")
        place = f"the variable {name}"
    elif path:
        place = str(path)
        try:
            salt = read_file(path, largest=1 << 20).strip()
        except (InputFileError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SanitizeError(f"{path}: {reason}. Name a file with a salt.") from error
    else:
        return None
    if len(salt) < _SHORTEST_SALT:
        raise SanitizeError(
            f"the salt in {place} has fewer than {_SHORTEST_SALT} bytes, so it could be guessed. "
            "Use a random one, such as that of: openssl rand -hex 32"
        )
    return salt


def _write(sanitizer: Sanitizer, sources: list[Source], options: dict[str, Any]) -> list[Written]:
    if options["check"]:
        return []
    if options["output"] is None and not options["in_place"]:
        if len(sources) > 1:
            raise SanitizeError(
                f"{len(sources)} files need a place. Add --output DIR, or --in-place."
            )
        _print(sanitizer, sources[0])
        return []
    plan = planned(sanitizer, sources, options["output"])
    write_files(sanitizer, plan)
    return plan


def _print(sanitizer: Sanitizer, source: Source) -> None:
    try:
        for piece in sanitized_pieces(sanitizer, source.path):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise SanitizeError(f"cannot print: {error.strerror or error}.") from error


def _show(
    form: str,
    sanitizer: Sanitizer,
    totals: dict[Path, int],
    plan: list[Written],
    passed_over: list[PassedOver],
) -> None:
    found, left = sanitizer.findings, sanitizer.left
    if form == "json":
        shown = {
            "found": [one._asdict() for one in found],
            "left": [one._asdict() for one in left],
            "files": {str(path): total for path, total in totals.items()},
            "written": [str(one.target) for one in plan],
            "not_read": [{"file": str(one.path), "reason": one.reason} for one in passed_over],
        }
        click.echo(json.dumps(shown), err=True)
        return
    holding = [path for path, total in totals.items() if total]
    lines = [f"Found: {sanitizer.total} value(s) in {len(holding)} of {len(totals)} file(s)"]
    lines += _rows(found)
    if not plan and len(totals) > 1:
        lines += [f"  in {path}: {totals[path]}" for path in holding[:_MOST_SHOWN]]
    if left:
        lines += ["Left, as it looks like free text (see --free-text):", *_rows(left)]
    lines += [f"Not read: {one.path}: {one.reason}" for one in passed_over]
    if plan:
        lines.append(f"Wrote {len(plan)} file(s)")
    click.echo(escaped("\n".join(lines), keep="\n"), err=True)


def _rows(detections: Sequence[Detection]) -> list[str]:
    """Return a line for each detector and place, the places with the most values first."""
    rows = []
    for name in dict.fromkeys(one.detector for one in detections):
        own = sorted(
            (one for one in detections if one.detector == name), key=lambda one: -one.total
        )
        rows += [f"  {name:<16} {one.total:>6}  {one.pointer or '/'}" for one in own[:_MOST_SHOWN]]
        if len(own) > _MOST_SHOWN:
            rows.append(f"  {name:<16} {'':>6}  and {len(own) - _MOST_SHOWN} more places")
    return rows
