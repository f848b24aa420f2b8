"""`deadringer examples [NAME]`: the recorded executions."""

import json
import sys
from typing import NoReturn

import click

from deadringer.fixtures import enveloped, load_recordings
from deadringer.fixtures.output import OutputError, find_recording


@click.command("examples")
@click.argument("name", required=False)
@click.option("--envelope", is_flag=True, help="As the API answers it, under `data`.")
def command(name: str | None, envelope: bool) -> None:
    """List the recorded executions, or print the one of that NAME as JSON."""
    if name is None:
        if envelope:
            _refuse("--envelope needs a NAME.")
        _list()
        return
    try:
        execution = find_recording(name).execution
    except OutputError as error:
        _refuse(str(error))
    document = enveloped(execution) if envelope else execution
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _list() -> None:
    recordings = load_recordings()
    width = max(len(one.name) for one in recordings)
    for one in recordings:
        click.echo(f"{one.name:{width}}  {one.execution['status']:9}  {one.story}")


def _refuse(problem: str) -> NoReturn:
    click.echo(f"deadringer examples: {problem}", err=True)
    sys.exit(2)
