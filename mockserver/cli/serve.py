"""`deadringer serve`: validate the settings, bind the port, then serve."""

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError

from . import completion
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
    read_state,
    read_text,
    read_time,
    read_workers,
    settings_from,
)

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

    from deadringer.mockserver.server import Certificate
    from deadringer.mockserver.world.service import Service

_MOST_ARENAS = 2
_M_ARENA_MAX = -8
"""The number of the parameter in glibc's `malloc.h`."""

MOST_RUNS = 10_000_000
MOST_MEGABYTES = 65_536
MOST_SESSIONS = 1_000_000
LARGEST_SEED = 999_999_999_999_999

setting = partial(click.option, cls=Setting)
network = partial(setting, section="Network")
data = partial(setting, section="Data and time")
behaviour = partial(setting, section="Behaviour")
pages = partial(setting, section="Control API and pages")
process = partial(setting, section="Process")


@click.command(
    cls=SettingsCommand, context_settings={"auto_envvar_prefix": PREFIX, "show_default": True}
)
@network("--host", type=read_host, metavar="HOST", help="Address to listen on.")
@network(
    "--port", type=Whole(0, 65_535, " (0 picks a free port)"), help="Port; 0 picks a free one."
)
@network(
    "--uds",
    type=read_path,
    metavar="PATH",
    shell_complete=completion.files,
    help="Listen on this Unix socket instead.",
)
@network(
    "--fd",
    type=Whole(0, 1_000_000),
    metavar="NUMBER",
    help="Listen on the socket of this file descriptor instead.",
)
@network(
    "--tls/--no-tls", help="Serve HTTPS with a new self-signed certificate; needs the extra tls."
)
@network(
    "--ssl-certfile",
    type=read_path,
    metavar="FILE",
    shell_complete=completion.files,
    help="Serve HTTPS with this certificate (PEM).",
)
@network(
    "--ssl-keyfile",
    type=read_path,
    metavar="FILE",
    shell_complete=completion.files,
    help="Private key, if not in --ssl-certfile.",
)
@network(
    "--limit",
    field="limits",
    type=read_limit,
    metavar="NAME=VALUE",
    multiple=True,
    help="Another limit of the HTTP server, such as body_bytes=1000; repeatable.",
)
@data(
    "--fixtures",
    type=read_path,
    metavar="DIR",
    multiple=True,
    separator=os.pathsep,
    shell_complete=completion.folders,
    help="Also serve the executions (*.json) in this folder; repeatable.",
)
@data("--reload/--no-reload", help="Follow changes in the --fixtures folders.")
@data("--seed", type=Whole(0, LARGEST_SEED), help="Seed of the generated executions.")
@data(
    "--runs-per-workflow",
    type=Whole(1, MOST_RUNS, "; --empty serves none"),
    show_default="240",
    help="Generated executions of each workflow.",
)
@data("--empty/--no-empty", help="Serve only recorded executions and those of --fixtures.")
@data(
    "--scenario",
    type=read_text,
    metavar="NAME|FILE",
    shell_complete=completion.scenarios,
    help="Serve the world of a scenario.",
)
@data(
    "--state",
    type=read_state,
    metavar="FILE|URL",
    shell_complete=completion.files,
    help="Store changes in this SQLite file, or share them over redis://HOST:PORT/DATABASE#NAME.",
)
@data("--speed", type=read_speed, metavar="FACTOR", help="How fast the clock runs.")
@data("--freeze", type=read_time, metavar="TIME", help="Stop the clock at this time.")
@behaviour(
    "--api-key",
    field="api_keys",
    type=read_api_key,
    metavar="KEY",
    multiple=True,
    help="Accept this key; repeatable.",
)
@behaviour(
    "--rate-limit",
    type=click.Choice(("report", "enforce", "off")),
    help="report: send RateLimit headers; enforce: also reject with 429; off: neither.",
)
@behaviour(
    "--rate-policy",
    type=read_rate_policy,
    metavar="REQUESTS/SECONDS",
    show_default="100/60",
    help="The rate limit of one key.",
)
@behaviour(
    "--cors",
    type=click.Choice(("reflect", "wildcard", "off")),
    help="Pages of other origins: reflect: allow each, with credentials; wildcard: allow each, "
    "without credentials; off: allow none.",
)
@behaviour(
    "--break",
    field="breaks",
    type=read_contract_fault,
    metavar="NAME",
    multiple=True,
    shell_complete=completion.contract_faults,
    help="Serve with this contract fault; repeatable.",
)
@behaviour(
    "--chaos",
    type=read_chaos,
    metavar="PROFILE",
    shell_complete=completion.chaos_profiles,
    help="Start with a mix of transport faults.",
)
@pages("--control/--no-control", help="Serve the control API and the pages under /__mock/.")
@pages(
    "--control-token",
    type=read_text,
    metavar="TOKEN",
    help="Require this token (X-Mock-Token header) for the control API and the pages.",
)
@pages(
    "--allow-host",
    field="allowed_hosts",
    type=read_host_name,
    metavar="NAME",
    multiple=True,
    help="Another host name at which to serve the control API and the pages; repeatable.",
)
@pages(
    "--max-sessions",
    type=Whole(1, MOST_SESSIONS),
    help="Sessions in memory; the least recently used one is evicted first.",
)
@process("--workers", type=read_workers, metavar="1", help="Only 1 is supported.")
@process(
    "--cache-mb", type=Whole(0, MOST_MEGABYTES), help="Response cache size in MB; 0 disables it."
)
@process(
    "--log-format",
    type=click.Choice(("text", "json", "off")),
    help="Format of the log on standard error; off: log problems only.",
)
@click.pass_context
def serve(ctx: click.Context, /, **_settings: Any) -> None:
    """Serve the mock over HTTP.

    Each option is also a variable and a key of [tool.deadringer] in ./pyproject.toml (for example
    port = 0). Precedence: command line, environment, file. Separate items in a variable with
    commas (folders as in PATH); use lists in the file.
    """
    sys.exit(run_server(settings_from(ctx), _print_banner))


def run_server(
    settings: Settings,
    announcer: Callable[[str, "Service"], Callable[[], None]],
    make_app: "Callable[[Settings], Flask] | None" = None,
    **server_options: Any,
) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit code.

    `announcer` returns, for the URL and the service, what is called once clients can connect.
    `make_app` makes another application than the mock; `server_options` are those of `serve`.

    Raises:
        StartError: if it cannot start.
    """
    if settings.reload and not settings.fixtures:
        raise StartError("Setting reload: there is no folder to watch. Add --fixtures DIR.")
    # What a start makes stays. Leaving the collector off meanwhile saves a tenth of the start.
    gc.disable()
    _share_arenas()
    # Flask is not needed to refuse a setting.
    from deadringer.mockserver.app import EXTENSION, build_app
    from deadringer.mockserver.logging import configure_logs
    from deadringer.mockserver.server import base_url

    from .listening import certificate_for, listening, validate_listening

    validate_listening(settings)
    with certificate_for(settings) as certificate:
        app = (make_app or build_app)(settings)
        service: Service = app.extensions[EXTENSION]
        try:
            with listening(settings) as listeners:
                url = base_url(listeners, "https" if certificate else "http")
                announce = announcer(url, service)
                configure_logs(settings.log_format)
                gc.freeze()
                gc.enable()
                _run(app, listeners, certificate, announce, **server_options)
        finally:
            service.close()
    return 0


def _print_banner(url: str, service: "Service") -> Callable[[], None]:
    from .banner import banner, passed_over_lines, warning

    text = banner(url, service.settings, list(service.executions.named_runs()))

    not_read = passed_over_lines(service.settings)

    def announce() -> None:
        for line in not_read:
            click.echo(line, err=True)
        if warning(service.settings):
            click.echo(warning(service.settings), err=True)
        click.echo(text)

    return announce


def _run(
    app: "Flask",
    listeners: "list[socket]",
    certificate: "Certificate | None",
    announce: Callable[[], None],
    **server_options: Any,
) -> None:
    """Serve until the process is asked to stop."""
    from deadringer.mockserver.api.middleware.cache import ResponseCache
    from deadringer.mockserver.app import EXTENSION
    from deadringer.mockserver.errors import refusal_body
    from deadringer.mockserver.server import Limits
    from deadringer.mockserver.server import serve as serve_application

    service: Service = app.extensions[EXTENSION]
    if service.settings.reload:
        from deadringer.mockserver.world.watch import follow_changes

        follow_changes(service)
    cache = app.wsgi_app if isinstance(app.wsgi_app, ResponseCache) else None

    def ready() -> None:
        if certificate and certificate.authority:
            trusted = certificate.authority
            certificate.certificate.unlink()  # its key is read; a killed process would leave it
            click.echo(f"Clients trust the certificate with --cacert {trusted}", err=True)
        announce()

    serve_application(
        app,
        listeners,
        refusal_body,
        on_ready=ready,
        cache=cache,
        limits=Limits(**dict(service.settings.limits)),  # type: ignore[arg-type] # by their types
        certificate=certificate,
        redact=_quoted_redactor(service.settings.api_keys),
        **server_options,
    )


def _quoted_redactor(api_keys: tuple[str, ...]) -> Callable[[str], str]:
    """Return a redactor for messages of the HTTP server, which quotes keys as `repr` does."""
    from deadringer.contracts.redaction import SecretRedactor

    doubled = [key.replace("\\", "\\\\") for key in api_keys]
    return SecretRedactor([*api_keys, *doubled, *(key.replace("'", "\\'") for key in doubled)])


def _share_arenas() -> None:
    """Let threads share few arenas of malloc, where the C library is glibc.

    Each thread gets one of its own, up to eight for each core, and they keep what they have
    once held: some MB each, by the number of threads that ever ran at once. Under the
    interpreter's lock threads gain nothing by it. MALLOC_ARENA_MAX precedes this.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_M_ARENA_MAX, _MOST_ARENAS)
