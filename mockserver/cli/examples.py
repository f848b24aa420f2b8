"""`deadringer examples [NAME]`: the recorded executions."""

import json
import sys
from typing import NoReturn

import click

from deadringer.fixtures import enveloped, load_recordings
from deadringer.fixtures.output import OutputError, find_recording

from . import completion
from .grouped import Command, section

output = section("Output")


@click.command("examples", cls=Command)
@click.argument("name", required=False, shell_complete=completion.recordings)
@output("--envelope", is_flag=True, help="Print the whole response, as the API sends it.")
def command(name: str | None, envelope: bool) -> None:
    """List the recorded executions, or print the one called NAME as JSON."""
    if name is None:
        if envelope:
            _fail("--envelope needs a NAME.")
        _list()
        return
    try:
        execution = find_recording(name).execution
    except OutputError as error:
        _fail(str(error))
    document = enveloped(execution) if envelope else execution
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _list() -> None:
    recordings = load_recordings()
    width = max(len(one.name) for one in recordings)
    for one in recordings:
        click.echo(f"{one.name:{width}}  {one.execution['status']:9}  {one.story}")


def _fail(problem: str) -> NoReturn:
    click.echo(f"deadringer examples: {problem}", err=True)
    sys.exit(2)
