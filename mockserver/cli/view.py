"""`deadringer view FILE|URL`: look at one execution in the trace viewer."""

import sys
import webbrowser
from typing import TYPE_CHECKING

import click

from deadringer.mockserver.exceptions import StartError

if TYPE_CHECKING:
    from deadringer.mockserver.admin.viewer.load import Viewed

HOST = "127.0.0.1"


@click.command("view")
@click.argument("place", metavar="FILE|URL|-")
@click.option("--api-key", envvar="DEADRINGER_API_KEY", help="The key to read a URL with.")
@click.option("--port", default=0, show_default="a free one", help="Port to show it on.")
@click.option("--open/--no-open", "opens", default=True, help="Open the browser.  [default: open]")
def command(place: str, api_key: str | None, port: int, opens: bool) -> None:
    """Show one execution as a trace: bare or in its response, from a file or a real server.

    A run that goes on is followed. One that breaks the contract is shown with what it breaks.
    """
    from deadringer.mockserver.admin.viewer import NoExecutionError, read_execution

    try:
        viewed = read_execution(place, api_key)
        _show(viewed, port, opens=opens)
    except (NoExecutionError, StartError) as problem:
        click.echo(f"deadringer view: {_printable(str(problem))}", err=True)
        sys.exit(2)


def _show(viewed: "Viewed", port: int, *, opens: bool) -> None:
    from deadringer.mockserver.admin.ui.shell import UI
    from deadringer.mockserver.admin.viewer import build_viewer
    from deadringer.mockserver.errors import refusal_body
    from deadringer.mockserver.server.run import BindError, base_url, bind, serve

    try:
        listeners = bind(HOST, port)
    except BindError as problem:
        raise StartError(str(problem)) from problem
    link = base_url(listeners) + UI

    def announce() -> None:
        name = _printable(str(viewed.execution.get("run_id", "an execution")))
        click.echo(f"Shows {name} on {link}")
        click.echo("Stop with Ctrl-C.")
        if opens and sys.stdout.isatty():
            webbrowser.open(link)

    serve(build_viewer(viewed), listeners, refusal_body, on_ready=announce)


def _printable(text: str) -> str:
    """Return a text in which nothing steers the terminal, nor lacks a form in its encoding."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
