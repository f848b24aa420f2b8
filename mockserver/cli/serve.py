"""`deadringer serve`: check everything, bind the port, then answer."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deadringer.mockserver.config import LOG_FORMATS, RATE_LIMIT_MODES, Settings, load_settings
from deadringer.mockserver.exceptions import StartError

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

    from deadringer.mockserver.world.service import Service


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", metavar="NUMBER", help="Port; 0 picks a free one.  [default: 4010]")
@click.option(
    "--api-key",
    metavar="KEY",
    multiple=True,
    help="A key to accept in place of the demo key; may be given again.",
)
@click.option(
    "--fixtures",
    metavar="DIR",
    multiple=True,
    help="A folder of your own executions (*.json); may be given again.",
)
@click.option("--reload/--no-reload", default=None, help="Follow changes in --fixtures folders.")
@click.option("--log-format", metavar="|".join(LOG_FORMATS), help="[default: text]")
@click.option(
    "--rate-limit",
    metavar="|".join(RATE_LIMIT_MODES),
    help="Tell the rate limit, refuse beyond it, or neither.  [default: report]",
)
@click.option("--rate-policy", metavar="REQUESTS/SECONDS", help="[default: 100/60]")
@click.option(
    "--break",
    metavar="NAME",
    multiple=True,
    help="Break one promise of the contract on purpose; may be given again.",
)
@click.option("--seed", metavar="NUMBER", help="The world's seed.  [default: 1]")
@click.option("--runs-per-workflow", metavar="NUMBER", help="[default: 240]")
@click.option("--empty/--no-empty", default=None, help="Serve recorded runs only.")
@click.option("--speed", metavar="FACTOR", help="How fast the clock goes.  [default: 1]")
@click.option("--freeze", metavar="TIME", help="Stop the clock at this time.")
@click.option("--state", metavar="FILE", help="Keep what is changed in this SQLite file.")
@click.option("--chaos", metavar="PROFILE", help="Begin with a mix of transport faults.")
@click.option("--scenario", metavar="NAME|FILE", help="Serve the world of a scenario.")
@click.option("--control/--no-control", default=None, help="The control API under /__mock/.")
@click.option(
    "--cache-mb",
    metavar="NUMBER",
    help="Memory for finished answers; 0 keeps none.  [default: 64]",
)
@click.option("--control-token", metavar="TOKEN", help="Ask for it in X-Mock-Token.")
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="A name the control API may be called by; may be given again.",
)
def serve(**options: Any) -> None:
    """Serve the mock over HTTP.

    Every option can also be given as a variable (DEADRINGER_PORT=0; several keys joined by
    commas) or in [tool.deadringer] of ./pyproject.toml (port = 0). The command line goes first,
    then the environment.
    """
    command_line = {name.replace("_", "-"): value for name, value in options.items()}
    try:
        settings = load_settings(command_line, os.environ, Path("pyproject.toml"))
        sys.exit(run_server(settings, _print_banner))
    except StartError as problem:
        click.echo(f"deadringer: {problem}", err=True)
        sys.exit(2)


def run_server(settings: Settings, telling: Callable[[str, "Service"], Callable[[], None]]) -> int:
    """Serve until SIGTERM or Ctrl-C, and give the exit code.

    `telling` makes, of the URL and the service, what is called once callers can connect.

    Raises:
        StartError: if it cannot start.
    """
    if settings.reload and not settings.fixtures:
        raise StartError("Setting reload: there is no folder to watch. Add --fixtures DIR.")
    # What a start makes is there to stay. Not looking for garbage in it saves a tenth of the start,
    # and every later look for it.
    gc.disable()
    # Flask is not needed to refuse a setting.
    from deadringer.mockserver.app import EXTENSION, build_app
    from deadringer.mockserver.logging import configure_logs
    from deadringer.mockserver.server.run import base_url, bind

    app = build_app(settings)
    service: Service = app.extensions[EXTENSION]
    try:
        listener = bind(settings.host, settings.port)
        announce = telling(base_url(listener), service)
        configure_logs(settings.log_format)
        gc.freeze()
        gc.enable()
        _run(app, listener, announce)
    finally:
        service.close()
    return 0


def _print_banner(url: str, service: "Service") -> Callable[[], None]:
    from .banner import banner, warning

    text = banner(url, service.settings, list(service.executions.named_runs()))

    def announce() -> None:
        if warning(service.settings):
            click.echo(warning(service.settings), err=True)
        click.echo(text)

    return announce


def _run(app: "Flask", listener: "socket", announce: Callable[[], None]) -> None:
    """Serve until the process is told to stop."""
    from deadringer.mockserver.api.middleware.cache import KeptAnswers
    from deadringer.mockserver.app import EXTENSION
    from deadringer.mockserver.server.run import serve as serve_application

    service: Service = app.extensions[EXTENSION]
    if service.settings.reload:
        from deadringer.mockserver.world.watch import follow_changes

        follow_changes(service)
    kept = app.wsgi_app if isinstance(app.wsgi_app, KeptAnswers) else None
    serve_application(app, listener, announce, kept)
