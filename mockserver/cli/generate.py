"""`deadringer generate`: executions by the million, in the form that is needed."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from fixtures.exports import EXPORTS
from fixtures.output import (
    FORMS,
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

from .generate_exports import (
    STANDARD_OUTPUT,
    export,
    named_file,
    refuse_constraints,
    tell_difference,
)
from .generate_options import filled, listed, seed_of, status_shares, steps_of
from .generate_progress import shown_progress

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
@click.option("--format", "form", type=click.Choice([*FORMS, *EXPORTS]),
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
        if given["form"] in EXPORTS:
            refuse_constraints(context, given["form"])
            export(given["form"], given["out"], is_check=given["check"])
            return
        request, out = _request(given), given["out"]
        check_request(request)
        if request.form == "parquet":
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
        form=given["form"] or _form_of(given["out"]),
        envelope=given["envelope"],
        constraints={name: value for name, value in constraints.items() if value is not None},
        promise=given["broken"],
        examples=tuple(listed(given["example"])),
    )


def _form_of(out: str) -> str:
    if _is_folder(out):
        return "json"
    path = Path(out)
    extension = (path.with_suffix("") if is_compressed(path) else path).suffix.lower()
    if extension not in _BY_EXTENSION and re.fullmatch(r"\.[a-z]{1,8}", extension):
        raise OutputError(
            f"{extension} is the extension of no form. Name the form with --format, or choose "
            f"from: {', '.join(_BY_EXTENSION)}."
        )
    return _BY_EXTENSION.get(extension, "ndjson")


def _is_folder(out: str) -> bool:
    return out.endswith(("/", os.sep)) or (out != STANDARD_OUTPUT and Path(out).is_dir())


def _write(request: Request, out: str, given: dict[str, Any]) -> None:
    path = Path(out)
    if request.form == "parquet" and is_compressed(path):
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
