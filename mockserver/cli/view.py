"""`deadringer view FILE|URL`: show one execution in the trace viewer."""

import sys
import webbrowser
from typing import TYPE_CHECKING, Any

import click

from deadringer.mockserver.exceptions import StartError

from . import completion
from .connection_options import access_from, connection_options
from .grouped import Command, section

if TYPE_CHECKING:
    from deadringer.mockserver.admin.viewer.load import Viewed

HOST = "127.0.0.1"


source, page = map(section, ("Source", "Page"))


@click.command("view", cls=Command)
@click.argument("place", metavar="FILE|URL|-", shell_complete=completion.files)
@source("--api-key", envvar="DEADRINGER_API_KEY", metavar="KEY",
        help="The key to read a URL with.")  # fmt: skip
@connection_options(source)
@page("--port", default=0, show_default="a free one", metavar="NUMBER",
      help="Port of the page.")  # fmt: skip
@page("--open/--no-open", "opens", default=True, help="Open the page in the browser.")
def command(place: str, api_key: str | None, port: int, opens: bool, **parameters: Any) -> None:
    """Show one execution as a trace, from a file, a server (URL) or standard input (-).

    A running execution is followed. Violations of the contract are shown where they are.
    """
    from deadringer.contracts import printable
    from deadringer.contracts.check import AccessError, OptionError
    from deadringer.mockserver.admin.viewer import NoExecutionError, read_execution

    try:
        access = access_from(parameters)
        viewed = read_execution(place, _usable(api_key), access=access)
        _show(viewed, port, opens=opens)
    except (AccessError, OptionError, NoExecutionError, StartError) as problem:
        click.echo(f"deadringer view: {printable(str(problem))}", err=True)
        sys.exit(2)


def _usable(api_key: str | None) -> str | None:
    """Return the key without blanks around it, None if there is none.

    Raises:
        AccessError: if no header can hold it.
    """
    from deadringer.contracts.check import read_key

    if not (api_key or "").strip():
        return None
    key, note = read_key(api_key or "")
    if note:
        click.echo(f"deadringer view: note: {note}", err=True)
    return key


def _show(viewed: "Viewed", port: int, *, opens: bool) -> None:
    from deadringer.contracts import printable
    from deadringer.mockserver.admin.ui.shell import UI
    from deadringer.mockserver.admin.viewer import build_viewer
    from deadringer.mockserver.errors import refusal_body
    from deadringer.mockserver.server import BindError, base_url, bind, serve

    try:
        listeners = bind(HOST, port)
    except BindError as problem:
        raise StartError(str(problem)) from problem
    link = base_url(listeners) + UI

    def announce() -> None:
        run_id = viewed.execution.get("run_id")
        name = printable(run_id) if isinstance(run_id, str) else "an execution"
        click.echo(f"Showing {name} on {link}")
        click.echo("Stop with Ctrl-C.")
        if opens and sys.stdout.isatty():
            webbrowser.open(link)

    serve(build_viewer(viewed), listeners, refusal_body, on_ready=announce)
