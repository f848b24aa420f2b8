"""`deadringer proxy UPSTREAM`: forward requests to a real server and validate its responses."""

import os
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from deadringer.contracts import escaped, printable
from deadringer.contracts.check import (
    AccessError,
    BaselineError,
    OptionError,
    ReportError,
    TrafficOptions,
    apply_baseline,
    load_baseline,
    require_origin,
)
from deadringer.contracts.rules import Rule, Severity, select
from deadringer.contracts.rules import Settings as RuleSettings
from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError

from . import completion
from .check import command as check
from .check import publish, require_writable_targets
from .connection_options import access_from
from .grouped import section
from .proxy_recording import OFFLINE_URL, Recorder, load_replay, print_replayed
from .serve import run_server, serve
from .settings import Setting, SettingsCommand, Whole, settings_from, settings_of
from .terminal import wants_color

if TYPE_CHECKING:
    from flask import Flask

    from deadringer.contracts import Exchange
    from deadringer.mockserver.proxy.announcing import ViolationLog
    from deadringer.mockserver.proxy.replay import Replay
    from deadringer.mockserver.proxy.traffic import LiveTraffic
    from deadringer.mockserver.world.service import Service

PORT = 4011
JOURNAL = "/__mock/ui/journal"
LONGEST_S = 86_400
_CORS_HELP = (
    "Pages of other origins: reflect: allow those of this machine, with credentials; wildcard: "
    "allow each, without credentials; off: leave it to UPSTREAM."
)
MOST_MEGABYTES = 1024
_OF_SERVE = (
    *("host", "port", "uds", "fd", "tls", "ssl_certfile", "ssl_keyfile", "limit"),
    *("cors", "break", "chaos", "control", "control_token", "allow_host", "log_format"),
)
"""Options that are those of `serve`, in its order."""
_OF_CHECK = (
    *("headers", "ca_file", "insecure", "no_proxy", "only", "skip", "strict", "fail_on"),
    *("baseline", "reports", "quiet", "verbose", "color"),
)
"""Options that are those of `check`, in its order."""

server, behaviour, recording = map(section, ("Server", "Behaviour", "Recording"))


class ProxyCommand(SettingsCommand):
    """A command with options of `serve` and `check` beside its own; it reads no variables."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params += [_own(one) for one in settings_of(serve) if one.name in _OF_SERVE]
        self.params += [one for one in check.params if one.name in _OF_CHECK]


def _own(setting: Setting) -> Setting:
    """Return a setting of `serve` as an option of this command, which reads no variable."""
    own = copy(setting)
    own.variable = ""
    own.default = PORT if own.name == "port" else own.default
    own.help = _CORS_HELP if own.name == "cors" else own.help
    return own


@click.command(
    "proxy",
    cls=ProxyCommand,
    context_settings={"show_default": True, "default_map": {}},
)
@click.argument("upstream", metavar="[UPSTREAM]", required=False)
@server("--preserve-host", "keeps_host", is_flag=True,
        help="Send the Host header of the client, not that of UPSTREAM.")  # fmt: skip
@server("--timeout", "timeout_s", default=60.0,
        type=click.FloatRange(0, LONGEST_S, min_open=True), metavar="SECONDS",
        help="Longest wait for the next bytes of UPSTREAM.")  # fmt: skip
@behaviour("--other-paths", type=click.Choice(["pass", "refuse"]), default="pass",
           help="What to do with paths that are no operation of the API.")  # fmt: skip
@behaviour("--largest-mb", type=Whole(1, MOST_MEGABYTES), default=4,
           help="Validate responses up to this size in MB; larger ones pass.")  # fmt: skip
@recording("--record", type=click.Path(path_type=Path), metavar="DIR",
           shell_complete=completion.folders,
           help="Record into this folder: a HAR file, and fixtures for serve.")  # fmt: skip
@recording("--no-sanitize", "is_raw", is_flag=True,
           help="Record personal and secret values too; keys are hidden all the same.")  # fmt: skip
@recording("--replay", type=click.Path(path_type=Path), metavar="DIR|HAR",
           shell_complete=completion.files,
           help="Respond from this recording if UPSTREAM cannot be reached; without UPSTREAM, "
           "always.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, /, upstream: str | None, **parameters: Any) -> None:
    """Forward requests to UPSTREAM (https://host[:port][/prefix]) and validate its responses.

    Violations are logged as they happen and shown under /__mock/ui/. Stop it with Ctrl-C or
    SIGTERM: it prints the report of all requests. Exit code: 0 passed, 1 failed, 2 if it could not
    start, or UPSTREAM sent no response of the API.
    """
    try:
        sys.exit(_run(ctx, upstream, parameters))
    except (AccessError, BaselineError, OptionError, ReportError, StartError) as error:
        click.echo(escaped(f"deadringer proxy: {error}", keep="\n"), err=True)
        sys.exit(2)


def _run(ctx: click.Context, base_url: str | None, parameters: dict[str, Any]) -> int:
    if base_url is not None:
        require_origin(base_url, name="UPSTREAM", fix="Pass credentials with -H NAME:VALUE.")
    if not parameters["timeout_s"] > 0:  # NaN, which no range refuses
        raise OptionError("--timeout must be above 0 seconds.")
    targets, baseline = parameters["reports"], parameters["baseline"]
    require_writable_targets(targets, None)
    accepted = load_baseline(baseline) if baseline else None
    replay = load_replay(parameters["replay"], base_url, parameters["record"])
    recorder = Recorder(parameters["record"], is_raw=parameters["is_raw"])
    proxy = _Proxy(base_url or OFFLINE_URL, parameters, replay)
    settings = replace(settings_from(ctx), api_keys=(), empty=True, rate_limit="off", cache_mb=0)
    with recorder.observer(proxy.upstream) as proxy.observers:
        run_server(
            settings, proxy.announcer, proxy.make_app, decodes_bodies=False, ends_process=False
        )
    report = proxy.traffic.report()
    if replay is not None:
        print_replayed(replay)
        if base_url is None:
            return 2 if recorder.failed else 0
    if accepted is not None:
        report = apply_baseline(report, accepted, fail_on=report.fail_on)
    color = wants_color(parameters["color"], sys.stdout, os.environ)
    publish(report, targets, color=color, quiet=parameters["quiet"], verbose=parameters["verbose"])
    return 2 if recorder.failed else report.exit_code


class _Proxy:
    """The application, made when the settings are validated, and what is asked of it later.

    Raises:
        AccessError: if certificates or a proxy of the environment cannot be used.
        OptionError: if an option cannot be used.
    """

    def __init__(
        self, base_url: str, parameters: dict[str, Any], replay: "Replay | None" = None
    ) -> None:
        from deadringer.mockserver.proxy.upstream import Upstream

        self._parameters = parameters
        self._replay = replay
        self.observers: tuple[Callable[[Exchange], None], ...] = ()
        access = access_from(parameters)
        self.upstream = Upstream(base_url, access, parameters["timeout_s"])
        self._rules = TrafficOptions(
            self.upstream.base_url,
            _selected(parameters),
            RuleSettings(strict=parameters["strict"]),
            Severity(parameters["fail_on"]),
            access,
        )

    def make_app(self, settings: Settings) -> "Flask":
        """Return the application."""
        from deadringer.mockserver.proxy.app import LOG, TRAFFIC, build_proxy_app
        from deadringer.mockserver.proxy.forwarding import ForwardingOptions

        options = ForwardingOptions(
            keeps_host=self._parameters["keeps_host"],
            passes_other_paths=self._parameters["other_paths"] == "pass",
            largest=self._parameters["largest_mb"] * 2**20,
        )
        app = build_proxy_app(
            settings, self.upstream, rules=self._rules, options=options,
            observers=self.observers, replay=self._replay,
        )  # fmt: skip
        self.traffic: LiveTraffic = app.extensions[TRAFFIC]
        self._log: ViolationLog = app.extensions[LOG]
        return app

    def announcer(self, url: str, service: "Service") -> Callable[[], None]:
        """Return what prints where the proxy is, once clients can connect."""
        from .banner import warning

        settings, self._log.url = service.settings, url
        is_offline = self._replay is not None and self._replay.always
        if not is_offline:
            _require_another(url, self.upstream.base_url)
        source = self._parameters["replay"] if is_offline else self.upstream.base_url
        verb = "replays" if is_offline else "proxies"
        lines = [f"Deadringer {verb} {printable(str(source))} and serves on {url}"]
        if settings.control and not url.startswith("unix:"):
            lines.append(f"See what passes: {url}{JOURNAL}")
        end = "" if is_offline else "It prints the report of all requests at its end. "
        lines.append(f"{end}Stop with Ctrl-C.")

        def announce() -> None:
            if warning(settings):
                click.echo(warning(settings), err=True)
            click.echo("\n".join(lines))

        return announce


def _require_another(url: str, upstream: str) -> None:
    """Raise StartError if the proxy would forward requests to itself."""
    from deadringer.mockserver.admin.control.access import is_loopback

    own, other = urlsplit(url), urlsplit(upstream)
    is_local = is_loopback(own.hostname or "") and is_loopback(other.hostname or "")
    if is_local and own.port == other.port:
        raise StartError(
            f"UPSTREAM {printable(upstream)} is the address of the proxy itself. Choose another "
            "--port, or name the server behind it."
        )


def _selected(parameters: dict[str, Any]) -> tuple[Rule, ...]:
    try:
        return select(only=parameters["only"], skip=parameters["skip"])
    except ValueError as error:
        raise OptionError(str(error)) from error
