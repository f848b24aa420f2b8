"""`deadringer generate`: executions by the million, in several formats."""

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
    OutputRequest,
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

from . import completion
from .grouped import Command, section

_WHOLE = r"-?[0-9]{1,4000}"
"""Python does not read longer numbers; they are seeds as text."""


def filled(_context: click.Context, _option: click.Parameter, value: Any) -> Any:
    """Return the value of an option, unless it is empty, as an unset variable of a shell is.

    Raises:
        click.BadParameter: if it is.
    """
    values = [value] if isinstance(value, str) else value or ()
    if any(not value.strip(", ") for value in values):
        raise click.BadParameter("it is empty. Add a value, or leave the option out.")
    return value


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
            f"{text!r} is not a number of steps. Write 5, or 3..12.", param_hint="--steps"
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
            f"{', '.join(parts)}: either every status has a share, or none.", param_hint="--status"
        )
    shares: dict[str, float] = {}
    for name, equals, text in pairs:
        if name.strip() in shares:
            raise click.BadParameter(
                f"{name.strip()} has two shares. Name each status once.", param_hint="--status"
            )
        shares[name.strip()] = _share(name, text) if equals else 1.0
    return shares


def _share(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(
            f"the share of {name}, {text!r}, is not a number. Write {name}=0.3.",
            param_hint="--status",
        ) from None


@contextmanager
def shown_progress(size: int, label: str) -> Iterator[Callable[[int], None]]:
    """Yield a callback for the number that is done; a bar is drawn only on a terminal."""
    is_mixed = label == "-" and sys.stdout.isatty()  # with the executions themselves
    if not sys.stderr.isatty() or is_mixed:
        yield lambda _done: None
        return
    rate = _Rate()
    with click.progressbar(
        length=size, label=label, file=sys.stderr, show_pos=True, item_show_func=rate.shown
    ) as bar:

        def progress(done: int) -> None:
            rate.take(done)
            bar.update(done - bar.pos, done)

        yield progress


class _Rate:
    """Executions a second since the first call of `take`, which sets what was there before."""

    def __init__(self) -> None:
        self._began_at_s = time.monotonic()
        self._before = 0
        self._done: int | None = None

    def take(self, done: int) -> None:
        """Set how many are done."""
        if self._done is None:
            self._before = done
        self._done = done

    def shown(self, _item: int | None) -> str | None:
        """Return the rate as text."""
        elapsed_s = time.monotonic() - self._began_at_s
        made = (self._done or 0) - self._before
        return f"{made / elapsed_s:,.0f}/s" if made and elapsed_s > 0 else None


STANDARD_OUTPUT = "-"

_FREE = {"format", "out", "check", "restart", "workers"}


def export(name: str, out: str, *, is_check: bool) -> None:
    """Write an export, or report whether the existing one is up to date.

    Raises:
        OutputError: if there is no such folder, or the name is that of a compressed file.
    """
    if is_compressed(Path(out)):
        raise OutputError(f"{name} is never compressed. Leave {Path(out).suffix} out of --out.")
    text = EXPORTS[name]().encode()
    if is_check:
        path = named_file(out)
        report_difference(path, _difference(path, text))
    elif out == STANDARD_OUTPUT:
        click.echo(text, nl=False)
    else:
        _replace(Path(out), text)


def require_no_constraints(context: click.Context, name: str) -> None:
    """Validate that no option chooses executions: an export has the recorded ones.

    Raises:
        OutputError: if one does.
    """
    excess = [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name not in _FREE
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if excess:
        raise OutputError(
            f"{name} exports the recorded executions as they are. Leave out {', '.join(excess)}."
        )


def named_file(out: str) -> Path:
    """Return the file to compare with.

    Raises:
        OutputError: if it is standard output.
    """
    if out == STANDARD_OUTPUT:
        raise OutputError("--check compares with a file. Name it: --out FILE.")
    return Path(out)


def report_difference(path: Path, different: str) -> None:
    """Print that a file is up to date, or exit with code 1 and how it differs."""
    if not different:
        click.echo(f"{path} is up to date")
        return
    renew = "Renew it: the same command without --check."
    click.echo(f"deadringer generate: out of date: {different}. {renew}", err=True)
    sys.exit(1)


def _difference(path: Path, text: bytes) -> str:
    if not path.exists():
        return f"{path} does not exist"
    old, new = path.read_bytes().splitlines(), text.splitlines()
    if old == new:
        return ""
    pairs = enumerate(zip(old, new, strict=False), 1)
    line = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)) + 1)
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


which, output = map(section, ("Which executions", "Output"))


@click.command("generate", cls=Command)
@which("-n", "--count", type=click.IntRange(min=1), default=1, metavar="N",
       help="Number of executions.")  # fmt: skip
@which("--seed", default="1", callback=filled, metavar="SEED", help="A number or a text.")
@which("--status", multiple=True, callback=filled, metavar="STATUS[=SHARE]",
       help="How runs end: failed=0.3, or failed alone; repeatable.")  # fmt: skip
@which("--steps", callback=filled, metavar="N|LOW..HIGH", help="Number of steps in a run.")
@which("--operations", multiple=True, callback=filled, metavar="KIND",
       help="Use only these kinds of step, joined by commas; repeatable.")  # fmt: skip
@which("--loops/--no-loops", default=None, help="Only runs with a loop, or only runs without.")
@which("--locale", callback=filled, metavar="NAME",
       help="Language and country of names and texts, such as de_DE.")  # fmt: skip
@which("--from", "started_after", callback=filled, metavar="TIME",
       help="The earliest start, ISO 8601.")  # fmt: skip
@which("--to", "started_before", callback=filled, metavar="TIME",
       help="Starts are before this time.")  # fmt: skip
@which("--edge", is_flag=True, help="Edge cases: unusual executions that the contract allows.")
@which("--violating", callback=filled, metavar="RULE|FAULT", shell_complete=completion.violations,
       help="Executions that violate this one rule, or have this contract fault.")  # fmt: skip
@which("--example", multiple=True, callback=filled, metavar="NAME",
       shell_complete=completion.recordings,
       help="A recorded execution instead; `deadringer examples` lists them.")  # fmt: skip
@output("--format", "format", type=click.Choice([*FORMATS, *EXPORTS]),
        show_default="by the extension of --out, else ndjson",
        help="Format of the output.")  # fmt: skip
@output("--envelope", is_flag=True, help="Write whole responses, as the API sends them.")
@output("--out", default=STANDARD_OUTPUT, callback=filled, metavar="FILE|DIR|-",
        shell_complete=completion.files,
        help="Where to write; .gz and .zst compress, DIR/ gets a file each.")  # fmt: skip
@output("--workers", type=click.IntRange(min=1), metavar="N",
        show_default="1; every core for a large count", help="Number of processes.")  # fmt: skip
@output("--restart", is_flag=True, help="Discard what an interrupted run has written.")
@output("--check", is_flag=True,
        help="Write nothing; exit 1 if --out is not up to date.")  # fmt: skip
@click.pass_context
def command(context: click.Context, /, **parameters: Any) -> None:
    """Generate valid executions. The same arguments generate the same bytes.

    A file is moved into place when it is complete. After an interruption the same command
    continues. The formats msw, postman and typescript export the recorded executions, and types.
    """
    try:
        if parameters["format"] in EXPORTS:
            require_no_constraints(context, parameters["format"])
            export(parameters["format"], parameters["out"], is_check=parameters["check"])
            return
        request, out = _request(parameters), parameters["out"]
        check_request(request)
        if request.format == "parquet":
            arrow()
        if parameters["check"]:
            _check(request, out)
        else:
            _write(request, out, parameters)
    except (OutputError, WorkerLostError) as error:
        _fail(str(error).replace("started_after", "--from").replace("started_before", "--to"))
    except OSError as error:
        _fail(f"{error.filename or parameters['out']}: {error.strerror or error}.")


def _request(parameters: dict[str, Any]) -> OutputRequest:
    constraints = {
        "status": status_shares(parameters["status"]),
        "steps": steps_of(parameters["steps"]),
        "operations": listed(parameters["operations"]) or None,
        "loops": parameters["loops"],
        "locale": parameters["locale"],
        "started_after": parameters["started_after"],
        "started_before": parameters["started_before"],
        "edge": parameters["edge"] or None,
    }
    return OutputRequest(
        count=parameters["count"],
        seed=seed_of(parameters["seed"]),
        format=parameters["format"] or _format_of(parameters["out"]),
        envelope=parameters["envelope"],
        constraints={name: value for name, value in constraints.items() if value is not None},
        violating=parameters["violating"],
        examples=tuple(listed(parameters["example"])),
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


def _write(request: OutputRequest, out: str, parameters: dict[str, Any]) -> None:
    path = Path(out)
    if request.format == "parquet" and is_compressed(path):
        raise OutputError(f"parquet is compressed inside. Name it {path.with_suffix('')}.")
    workers = parameters["workers"] or (available_cores() if request.size > _ALONE_UP_TO else 1)
    is_stream = out == STANDARD_OUTPUT or (
        path.exists() and not path.is_dir() and not path.is_file()
    )
    with shown_progress(request.size, out) as progress:
        try:
            if _is_folder(out):
                write_folder(request, path, workers=workers, restart=parameters["restart"],
                             progress=progress)  # fmt: skip
            elif is_stream:
                _write_stream(request, out, workers=workers, progress=progress)
            else:
                write_file(request, path, workers=workers, restart=parameters["restart"],
                           progress=progress)  # fmt: skip
        except KeyboardInterrupt:
            partial = "" if is_stream else f" {_partial(out)}; the same command continues it."
            click.echo(f"\ndeadringer generate: interrupted.{partial}", err=True)
            sys.exit(_INTERRUPTED)


def _partial(out: str) -> str:
    return f"What is done is in {out if _is_folder(out) else part_of(Path(out))}"


def _write_stream(request: OutputRequest, out: str, **options: Any) -> None:
    if out != STANDARD_OUTPUT:
        with Path(out).open("wb") as stream:
            write_stream(request, stream, **options)
        return
    try:
        write_stream(request, sys.stdout.buffer, **options)
    except BrokenPipeError:
        # The reader has closed the pipe; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(request: OutputRequest, out: str) -> None:
    report_difference(named_file(out), differences(request, named_file(out)))


def _fail(problem: str) -> None:
    click.echo(f"deadringer generate: {problem}", err=True)
    sys.exit(2)
