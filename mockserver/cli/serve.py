"""`deadringer serve`: check everything, bind the port, then answer."""

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError

from .settings import (
    PREFIX,
    Setting,
    SettingsCommand,
    Whole,
    read_api_key,
    read_chaos,
    read_contract_fault,
    read_host,
    read_host_name,
    read_limit,
    read_path,
    read_rate_policy,
    read_speed,
    read_text,
    read_time,
    settings_from,
)

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

    from deadringer.mockserver.server.run import Certificate
    from deadringer.mockserver.world.service import Service

MOST_RUNS = 10_000_000
MOST_MEGABYTES = 65_536
MOST_SESSIONS = 1_000_000
LARGEST_SEED = 999_999_999_999_999

setting = partial(click.option, cls=Setting)


@click.command(
    cls=SettingsCommand, context_settings={"auto_envvar_prefix": PREFIX, "show_default": True}
)
@setting("--host", type=read_host, metavar="HOST", help="Address to listen on.")
@setting(
    "--port", type=Whole(0, 65_535, " (0 picks a free port)"), help="Port; 0 picks a free one."
)
@setting(
    "--api-key",
    field="api_keys",
    type=read_api_key,
    metavar="KEY",
    multiple=True,
    help="Accept this key; repeatable.",
)
@setting(
    "--fixtures",
    type=read_path,
    metavar="DIR",
    multiple=True,
    separator=os.pathsep,
    help="Also serve the executions (*.json) of this folder; repeatable.",
)
@setting("--reload/--no-reload", help="Follow changes in the --fixtures folders.")
@setting(
    "--log-format",
    type=click.Choice(("text", "json", "off")),
    help="Format of the log on standard error; off: log problems only.",
)
@setting(
    "--rate-limit",
    type=click.Choice(("report", "enforce", "off")),
    help="report: send RateLimit headers; enforce: also reject with 429; off: neither.",
)
@setting(
    "--rate-policy",
    type=read_rate_policy,
    metavar="REQUESTS/SECONDS",
    show_default="100/60",
    help="The rate limit of one key.",
)
@setting(
    "--break",
    field="breaks",
    type=read_contract_fault,
    metavar="NAME",
    multiple=True,
    help="Serve with this contract fault; repeatable.",
)
@setting("--seed", type=Whole(0, LARGEST_SEED), help="Seed of the generated executions.")
@setting(
    "--runs-per-workflow",
    type=Whole(1, MOST_RUNS, "; --empty serves none"),
    show_default="240",
    help="Generated executions of each workflow.",
)
@setting("--empty/--no-empty", help="Serve recorded executions and those of --fixtures only.")
@setting("--speed", type=read_speed, metavar="FACTOR", help="How fast the clock runs.")
@setting("--freeze", type=read_time, metavar="TIME", help="Stop the clock at this time.")
@setting("--state", type=read_path, metavar="FILE", help="Keep changes in this SQLite file.")
@setting(
    "--chaos", type=read_chaos, metavar="PROFILE", help="Start with a mix of transport faults."
)
@setting("--scenario", type=read_text, metavar="NAME|FILE", help="Serve the world of a scenario.")
@setting("--control/--no-control", help="Serve the control API and the pages under /__mock/.")
@setting(
    "--cache-mb", type=Whole(0, MOST_MEGABYTES), help="Response cache size in MB; 0 disables it."
)
@setting(
    "--max-sessions",
    type=Whole(1, MOST_SESSIONS),
    help="Sessions in memory; beyond that the least recently used leave it.",
)
@setting(
    "--control-token",
    type=read_text,
    metavar="TOKEN",
    help="Require this token (X-Mock-Token header) for the control API and the pages.",
)
@setting(
    "--allow-host",
    field="allowed_hosts",
    type=read_host_name,
    metavar="NAME",
    multiple=True,
    help="Further name the control API and the pages may be called by; repeatable.",
)
@setting("--uds", type=read_path, metavar="PATH", help="Listen on this Unix socket instead.")
@setting(
    "--fd",
    type=Whole(0, 1_000_000),
    metavar="NUMBER",
    help="Listen on the socket of this file descriptor instead.",
)
@setting("--tls/--no-tls", help="Serve HTTPS with a new self-signed certificate.")
@setting("--ssl-certfile", type=read_path, metavar="FILE", help="Serve HTTPS with this (PEM).")
@setting("--ssl-keyfile", type=read_path, metavar="FILE", help="Key, if FILE does not hold it.")
@setting(
    "--limit",
    field="limits",
    type=read_limit,
    metavar="NAME=VALUE",
    multiple=True,
    help="Another limit of the HTTP server, such as body_bytes=1000; repeatable.",
)
@click.pass_context
def serve(ctx: click.Context, /, **_settings: Any) -> None:
    """Serve the mock over HTTP.

    Each option can also be given as its variable or in [tool.deadringer] of ./pyproject.toml
    (port = 0). The command line precedes the environment, which precedes the file. A variable joins
    several items with commas, folders as PATH does; the file takes lists.
    """
    sys.exit(run_server(settings_from(ctx), _print_banner))


def run_server(settings: Settings, telling: Callable[[str, "Service"], Callable[[], None]]) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit code.

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
    from deadringer.mockserver.server.run import base_url

    from .listening import certificate_for, listening, validate_listening

    validate_listening(settings)
    with certificate_for(settings) as certificate:
        app = build_app(settings)
        service: Service = app.extensions[EXTENSION]
        try:
            with listening(settings) as listeners:
                url = base_url(listeners, "https" if certificate else "http")
                announce = telling(url, service)
                configure_logs(settings.log_format)
                gc.freeze()
                gc.enable()
                _run(app, listeners, certificate, announce)
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


def _run(
    app: "Flask",
    listeners: "list[socket]",
    certificate: "Certificate | None",
    announce: Callable[[], None],
) -> None:
    """Serve until the process is told to stop."""
    from deadringer.mockserver.api.middleware.cache import ResponseCache
    from deadringer.mockserver.app import EXTENSION
    from deadringer.mockserver.errors import refusal_body
    from deadringer.mockserver.server.limits import Limits
    from deadringer.mockserver.server.run import serve as serve_application

    service: Service = app.extensions[EXTENSION]
    if service.settings.reload:
        from deadringer.mockserver.world.watch import follow_changes

        follow_changes(service)
    kept = app.wsgi_app if isinstance(app.wsgi_app, ResponseCache) else None

    def ready() -> None:
        if certificate and certificate.authority:
            trusted = certificate.authority
            click.echo(f"Clients trust it with its authority: --cacert {trusted}", err=True)
        announce()

    serve_application(
        app,
        listeners,
        refusal_body,
        on_ready=ready,
        cache=kept,
        limits=Limits(**dict(service.settings.limits)),  # type: ignore[arg-type] # by their types
        certificate=certificate,
        redact=_quoted_redactor(service.settings.api_keys),
    )


def _quoted_redactor(api_keys: tuple[str, ...]) -> Callable[[str], str]:
    """Return what hides keys in the messages of the HTTP server, which quotes as `repr` does."""
    from deadringer.contracts.redaction import SecretRedactor

    doubled = [key.replace("\\", "\\\\") for key in api_keys]
    return SecretRedactor([*api_keys, *doubled, *(key.replace("'", "\\'") for key in doubled)])
