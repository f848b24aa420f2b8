"""`deadringer generate`: executions by the million, in the format that is needed."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from deadringer.fixtures import Seed
from deadringer.fixtures.exports import EXPORTS
from deadringer.fixtures.output import (
    FORMATS,
    OutputError,
    Request,
    WorkerLostError,
    arrow,
    available_cores,
    check_request,
    differences,
    is_compressed,
    part_of,
    write_file,
    write_folder,
    write_stream,
)

_WHOLE = r"-?[0-9]{1,4000}"
"""Python refuses to read longer numbers, which are as good a seed as text."""


def filled(_context: click.Context, _option: click.Parameter, given: Any) -> Any:
    """Return what an option was given, unless that is empty, as an unset variable of a shell is.

    Raises:
        click.BadParameter: if it is.
    """
    values = [given] if isinstance(given, str) else given or ()
    if any(not value.strip(", ") for value in values):
        raise click.BadParameter("it is empty. Give a value, or leave the option out.")
    return given


def steps_of(text: str | None) -> tuple[int, int] | None:
    """Return `5`, or `3..12`, as a pair (low, high).

    Raises:
        click.BadParameter: if it is neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise click.BadParameter(
            f"{text!r} is no number of steps. Write 5, or 3..12.", param_hint="--steps"
        )
    return low, high


def seed_of(text: str) -> Seed:
    """Return the seed: a whole number where it is spelled as one, else the text itself."""
    return int(text) if re.fullmatch(_WHOLE, text) else text


def listed(values: Iterable[str]) -> list[str]:
    """Return the values of an option that may be repeated, and hold several joined by commas."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def status_shares(values: Iterable[str]) -> dict[str, float] | None:
    """Return shares by status, None if no status was named.

    `failed` alone means only failed runs; of `failed=0.3` the rest is completed.

    Raises:
        click.BadParameter: if a share is no number, or only some of several statuses have one, or
            a status is named twice.
    """
    parts = listed(values)
    if not parts:
        return None
    pairs = [part.partition("=") for part in parts]
    if len({equals for _, equals, _ in pairs}) > 1:
        raise click.BadParameter(
            f"{', '.join(parts)}: give every status a share, or none.", param_hint="--status"
        )
    shares: dict[str, float] = {}
    for name, equals, text in pairs:
        if name.strip() in shares:
            raise click.BadParameter(
                f"{name.strip()} has two shares. Give each status once.", param_hint="--status"
            )
        shares[name.strip()] = _share(name, text) if equals else 1.0
    return shares


def _share(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(
            f"the share of {name}, {text!r}, is no number. Write {name}=0.3.",
            param_hint="--status",
        ) from None


@contextmanager
def shown_progress(size: int, label: str) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many are done; it draws nothing where nobody would see it."""
    is_drowned = label == "-" and sys.stdout.isatty()
    if not sys.stderr.isatty() or is_drowned:
        yield lambda _done: None
        return
    rate = _Rate()
    with click.progressbar(
        length=size, label=label, file=sys.stderr, show_pos=True, item_show_func=rate.told
    ) as bar:

        def progress(done: int) -> None:
            rate.take(done)
            bar.update(done - bar.pos, done)

        yield progress


class _Rate:
    """Executions a second since the first report, which tells what was there before."""

    def __init__(self) -> None:
        self._began_at_s = time.monotonic()
        self._before = 0
        self._done: int | None = None

    def take(self, done: int) -> None:
        """Note how many are done."""
        if self._done is None:
            self._before = done
        self._done = done

    def told(self, _item: int | None) -> str | None:
        """Return the rate as text."""
        elapsed_s = time.monotonic() - self._began_at_s
        made = (self._done or 0) - self._before
        return f"{made / elapsed_s:,.0f}/s" if made and elapsed_s > 0 else None


STANDARD_OUTPUT = "-"

_FREE = {"format", "out", "check", "restart", "workers"}


def export(name: str, out: str, *, is_check: bool) -> None:
    """Write an export, or tell whether the one that is kept is up to date.

    Raises:
        OutputError: if there is no such place, or its name asks for a compressed file.
    """
    if is_compressed(Path(out)):
        raise OutputError(
            f"{name} is read as it is, and not compressed. Leave {Path(out).suffix} out of --out."
        )
    text = EXPORTS[name]().encode()
    if is_check:
        path = named_file(out)
        tell_difference(path, _difference(path, text))
    elif out == STANDARD_OUTPUT:
        click.echo(text, nl=False)
    else:
        _replace(Path(out), text)


def refuse_constraints(context: click.Context, name: str) -> None:
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
            f"{name} exports the recorded executions as they are. Leave out {', '.join(given)}."
        )


def named_file(out: str) -> Path:
    """Return the place to compare with.

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


_ALONE_UP_TO = 20_000
_INTERRUPTED = 130

_BY_EXTENSION = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
    ".har": "har",
}


@click.command("generate")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many executions.")  # fmt: skip
@click.option("--seed", default="1", show_default=True, callback=filled, help="A number or a text.")
@click.option("--status", multiple=True, callback=filled, metavar="STATUS[=SHARE]",
              help="How runs end: failed=0.3, or failed alone; may be given again.")  # fmt: skip
@click.option("--steps", callback=filled, metavar="N|LOW..HIGH", help="Steps in a run.")
@click.option("--operations", multiple=True, callback=filled, metavar="KIND",
              help="The kinds of step there may be, joined by commas.")  # fmt: skip
@click.option("--loops/--no-loops", default=None, help="Runs with a loop, or without.")
@click.option(
    "--locale", callback=filled, metavar="NAME", help="Where names and texts come from, as de_DE."
)
@click.option(
    "--from", "started_after", callback=filled, metavar="TIME", help="The earliest start, ISO 8601."
)
@click.option(
    "--to", "started_before", callback=filled, metavar="TIME", help="Starts are before this time."
)
@click.option("--edge", is_flag=True, help="Legal but nasty executions.")
@click.option(
    "--broken", callback=filled, metavar="RULE", help="Executions that break this one rule."
)
@click.option("--example", multiple=True, callback=filled, metavar="NAME",
              help="A recorded execution instead; `deadringer examples` lists them.")  # fmt: skip
@click.option("--envelope", is_flag=True, help="Each as the API answers it, under `data`.")
@click.option("--format", "format", type=click.Choice([*FORMATS, *EXPORTS]),
              help="By default what the extension of --out says; ndjson without one.")  # fmt: skip
@click.option("--out", default=STANDARD_OUTPUT, callback=filled, metavar="FILE|DIR|-",
              help="Where to; .gz and .zst compress, DIR/ gets a file each.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), metavar="N",
              help="Processes; by default every core for a large count.")  # fmt: skip
@click.option("--restart", is_flag=True, help="Discard what an interrupted try has written.")
@click.option("--check", is_flag=True, help="Write nothing; is --out up to date? If not, exit 1.")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Generate executions that keep the contract. The same arguments give the same bytes.

    A file is moved into place when it is whole. After an interruption the same command continues.
    The forms msw, postman and typescript give the recorded executions, and the schemas' types.
    """
    try:
        if given["format"] in EXPORTS:
            refuse_constraints(context, given["format"])
            export(given["format"], given["out"], is_check=given["check"])
            return
        request, out = _request(given), given["out"]
        check_request(request)
        if request.format == "parquet":
            arrow()
        if given["check"]:
            _check(request, out)
        else:
            _write(request, out, given)
    except (OutputError, WorkerLostError) as error:
        _refuse(str(error).replace("started_after", "--from").replace("started_before", "--to"))
    except OSError as error:
        _refuse(f"{error.filename or given['out']}: {error.strerror or error}.")


def _request(given: dict[str, Any]) -> Request:
    constraints = {
        "status": status_shares(given["status"]),
        "steps": steps_of(given["steps"]),
        "operations": listed(given["operations"]) or None,
        "loops": given["loops"],
        "locale": given["locale"],
        "started_after": given["started_after"],
        "started_before": given["started_before"],
        "edge": given["edge"] or None,
    }
    return Request(
        count=given["count"],
        seed=seed_of(given["seed"]),
        format=given["format"] or _format_of(given["out"]),
        envelope=given["envelope"],
        constraints={name: value for name, value in constraints.items() if value is not None},
        rule=given["broken"],
        examples=tuple(listed(given["example"])),
    )


def _format_of(out: str) -> str:
    if _is_folder(out):
        return "json"
    path = Path(out)
    extension = (path.with_suffix("") if is_compressed(path) else path).suffix.lower()
    if extension not in _BY_EXTENSION and re.fullmatch(r"\.[a-z]{1,8}", extension):
        raise OutputError(
            f"{extension} is not the extension of a format. Name one with --format, or choose "
            f"from: {', '.join(_BY_EXTENSION)}."
        )
    return _BY_EXTENSION.get(extension, "ndjson")


def _is_folder(out: str) -> bool:
    return out.endswith(("/", os.sep)) or (out != STANDARD_OUTPUT and Path(out).is_dir())


def _write(request: Request, out: str, given: dict[str, Any]) -> None:
    path = Path(out)
    if request.format == "parquet" and is_compressed(path):
        raise OutputError(f"parquet is compressed inside. Name it {path.with_suffix('')}.")
    workers = given["workers"] or (available_cores() if request.size > _ALONE_UP_TO else 1)
    is_stream = out == STANDARD_OUTPUT or (
        path.exists() and not path.is_dir() and not path.is_file()
    )
    with shown_progress(request.size, out) as progress:
        try:
            if _is_folder(out):
                write_folder(request, path, workers=workers, restart=given["restart"],
                             progress=progress)  # fmt: skip
            elif is_stream:
                _write_stream(request, out, workers=workers, progress=progress)
            else:
                write_file(request, path, workers=workers, restart=given["restart"],
                           progress=progress)  # fmt: skip
        except KeyboardInterrupt:
            kept = "" if is_stream else f" {_kept(out)}; the same command continues it."
            click.echo(f"\ndeadringer generate: stopped.{kept}", err=True)
            sys.exit(_INTERRUPTED)


def _kept(out: str) -> str:
    return f"What is done is in {out if _is_folder(out) else part_of(Path(out))}"


def _write_stream(request: Request, out: str, **told: Any) -> None:
    if out != STANDARD_OUTPUT:
        with Path(out).open("wb") as stream:
            write_stream(request, stream, **told)
        return
    try:
        write_stream(request, sys.stdout.buffer, **told)
    except BrokenPipeError:
        # The reader has had enough; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(request: Request, out: str) -> None:
    tell_difference(named_file(out), differences(request, named_file(out)))


def _refuse(problem: str) -> None:
    click.echo(f"deadringer generate: {problem}", err=True)
    sys.exit(2)
