"""The forms of `deadringer generate` that a frontend project checks in."""

import sys
from pathlib import Path

import click
from click.core import ParameterSource

from fixtures.exports import EXPORTS
from fixtures.output import OutputError, is_compressed

STANDARD_OUTPUT = "-"

_FREE = {"form", "out", "check", "restart", "workers"}


def export(form: str, out: str, *, is_check: bool) -> None:
    """Write an export, or tell whether the one that is kept is up to date.

    Raises:
        OutputError: if there is no such place, or its name asks for a compressed file.
    """
    if is_compressed(Path(out)):
        raise OutputError(
            f"{form} is read as it is, and not compressed. Leave {Path(out).suffix} out of --out."
        )
    text = EXPORTS[form]().encode()
    if is_check:
        path = named_file(out)
        tell_difference(path, _difference(path, text))
    elif out == STANDARD_OUTPUT:
        click.echo(text, nl=False)
    else:
        _replace(Path(out), text)


def refuse_constraints(context: click.Context, form: str) -> None:
    """Refuse options that choose executions: an export has the recorded ones.

    Raises:
        OutputError: if there is one.
    """
    given = [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name not in _FREE
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        raise OutputError(
            f"{form} exports the recorded executions as they are. Leave out {', '.join(given)}."
        )


def named_file(out: str) -> Path:
    """Give the place to compare with.

    Raises:
        OutputError: if it is standard output.
    """
    if out == STANDARD_OUTPUT:
        raise OutputError("--check compares with a file. Name it: --out FILE.")
    return Path(out)


def tell_difference(path: Path, different: str) -> None:
    """Say that a place is up to date, or how it differs, which ends the command with 1."""
    if not different:
        click.echo(f"{path} is up to date")
        return
    renew = "Renew it: the same command without --check."
    click.echo(f"deadringer generate: out of date: {different}. {renew}", err=True)
    sys.exit(1)


def _difference(path: Path, text: bytes) -> str:
    if not path.exists():
        return f"{path} does not exist"
    kept, now = path.read_bytes().splitlines(), text.splitlines()
    if kept == now:
        return ""
    pairs = enumerate(zip(kept, now, strict=False), 1)
    line = next((at for at, (one, other) in pairs if one != other), min(len(kept), len(now)) + 1)
    return f"{path} differs from line {line} on"


def _replace(path: Path, text: bytes) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}. Make it, or name another --out.")
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(text)
    beside.replace(path)
