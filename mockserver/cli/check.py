"""`deadringer check BASE_URL`: test a server against every rule of the contract."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from deadringer.contracts import escaped, printable
from deadringer.contracts.check import (
    FORMATS,
    AccessError,
    BaselineError,
    CheckOptions,
    Interruption,
    OptionError,
    Report,
    ReportError,
    annotated,
    apply_baseline,
    load_baseline,
    read_key,
    render_text,
    require_origin,
    require_target,
    require_writable,
    run_check,
    update_baseline,
    write_report,
    write_step_summary,
)
from deadringer.contracts.rules import Settings, Severity

from . import completion
from .connection_options import access_from, connection_options
from .grouped import Command, section
from .terminal import COLOR_CHOICES, COLOR_HELP, ProgressLine, wants_color, write_out

server, rules, scope, output = map(section, ("Server", "Rules", "Scope", "Output"))


@click.command("check", cls=Command)
@click.argument("base_url")
@server("--api-key", envvar="DEADRINGER_API_KEY", metavar="KEY", help="A valid key of the server.")
@connection_options(server)
@server("--wait-for", "wait_s", default=0.0, metavar="SECONDS",
        help="Wait up to this long until the server responds.")  # fmt: skip
@server("--workflow", "workflow_ids", multiple=True, metavar="ID",
        help="Check this workflow; repeatable.")  # fmt: skip
@server("--run", "run_ids", multiple=True, metavar="ID",
        help="Check this run of --workflow; repeatable.")  # fmt: skip
@server("--allow-writes", "writes_allowed", is_flag=True,
        help="Also start test runs and send writing methods.")  # fmt: skip
@rules("--only", multiple=True, metavar="RULE-OR-GROUP", shell_complete=completion.rules,
       help="Test only these rules; repeatable.")  # fmt: skip
@rules("--skip", multiple=True, metavar="RULE-OR-GROUP", shell_complete=completion.rules,
       help="Skip these rules; repeatable.")  # fmt: skip
@rules("--strict", is_flag=True, help="Also report undocumented fields.")
@rules("--fail-on", type=click.Choice(["error", "warning"]), default="error",
       help="The lowest severity that fails the check.")  # fmt: skip
@rules("--baseline", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
       help="Accept the findings in this file.")  # fmt: skip
@rules("--baseline-update", is_flag=True, help="Write the current findings to --baseline.")
@scope("--quick", is_flag=True, help="Read fewer runs and generate no requests.")
@scope("--watch", "watch_s", default=10.0, metavar="SECONDS",
        help="How long to follow a running run.")  # fmt: skip
@scope("--max-requests", default=3000, metavar="N", help="Send at most this many requests.")
@scope("--max-time", "max_time_s", default=300.0, metavar="SECONDS",
        help="Stop after this time, waits for the rate limit included.")  # fmt: skip
@scope("--timeout", "timeout_s", default=10.0, metavar="SECONDS",
        help="Time for one request, from first to last byte.")  # fmt: skip
@scope("--seed", default=0, metavar="N", help="Random seed.")
@output("--report", "reports", multiple=True, metavar="FORMAT=PATH",
        shell_complete=completion.reports,
        help=f"Also write a report; repeatable. Formats: {', '.join(FORMATS)}.")  # fmt: skip
@output("--quiet", "-q", is_flag=True, help="Print only the summary and failed rules.")
@output("--verbose", "-v", is_flag=True, help="Print every rule and every example.")
@output("--color", type=click.Choice(COLOR_CHOICES), default="auto", help=COLOR_HELP)
def command(**parameters: Any) -> None:
    """Test the server at BASE_URL (https://host[:port][/prefix]) against every rule.

    Sends only reads, unless --allow-writes is set. Exit code: 0 passed, 1 failed, 2 inconclusive,
    130 or 143 interrupted; the findings so far are reported.
    """
    reports, baseline_update = parameters.pop("reports"), parameters.pop("baseline_update")
    loudness = {"quiet": parameters.pop("quiet"), "verbose": parameters.pop("verbose")}
    color = wants_color(parameters.pop("color"), sys.stdout, os.environ)
    try:
        options = _options(parameters, update=baseline_update)
        require_writable_targets(reports, options.baseline if baseline_update else None)
        report = _checked(options, quiet=loudness["quiet"], update=baseline_update)
        publish(report, reports, color=color, **loudness)
    except (AccessError, OptionError, BaselineError, ReportError) as error:
        click.echo(escaped(f"deadringer check: {error}", keep="\n"), err=True)
        sys.exit(2)
    sys.exit(report.exit_code)


def _options(parameters: dict[str, Any], *, update: bool) -> CheckOptions:
    require_origin(parameters["base_url"])  # A wrong address is named before a missing key.
    parameters["api_key"], note = read_key(parameters["api_key"] or "")
    if note:
        click.echo(f"deadringer check: note: {note}", err=True)
    parameters["access"] = access_from(parameters)
    if update and parameters["baseline"] is None:
        raise OptionError("--baseline-update needs --baseline FILE: the file to write.")
    settings = Settings(strict=parameters.pop("strict"))
    parameters["fail_on"] = Severity(parameters["fail_on"])
    return CheckOptions(**parameters, settings=settings)


def _checked(options: CheckOptions, *, quiet: bool, update: bool) -> Report:
    baseline = None
    if options.baseline and not (update and not options.baseline.exists()):
        baseline = load_baseline(options.baseline)
    try:
        with ProgressLine(quiet=quiet) as progress, Interruption() as interruption:
            report = run_check(options, progress=progress.show, interruption=interruption)
    except ValueError as error:
        raise OptionError(str(error)) from error
    if update and options.baseline:
        change = update_baseline(options.baseline, report)
        click.echo(f"baseline {options.baseline}: {change}", err=True)
        for sign, names in (("+", change.added), ("-", change.removed)):
            for name in names:
                click.echo(f"  {sign} {printable(name)}", err=True)
        baseline = load_baseline(options.baseline)
    if baseline is not None:
        report = apply_baseline(report, baseline, fail_on=options.fail_on)
    return report


def publish(
    report: Report, targets: Sequence[str], *, color: bool, quiet: bool, verbose: bool
) -> None:
    """Write a report to every target and print it.

    Raises:
        ReportError: if some of that cannot be written; the rest is.
    """
    _write_out(
        *(partial(write_report, report, target) for target in targets),
        partial(write_step_summary, report, os.environ),
        partial(_print, report, color=color, quiet=quiet, verbose=verbose),
    )


def _write_out(*writers: Callable[[], None]) -> None:
    """Call every writer, whatever another one raises; raise what they raised together."""
    errors = []
    for write in writers:
        try:
            write()
        except ReportError as error:
            errors.append(str(error))
    if errors:
        raise ReportError("\n".join(errors))


def _print(report: Report, *, color: bool, quiet: bool, verbose: bool) -> None:
    text = render_text(report, quiet=quiet, verbose=verbose, color=color)
    try:
        write_out(annotated(text, report, os.environ), color=color)
    except OSError as error:
        raise ReportError(f"cannot print: {error.strerror or error}.") from error


def require_writable_targets(reports: tuple[str, ...], baseline: Path | None) -> None:
    """Raise before the first request if a report or the baseline could not be written."""
    for target in reports:
        require_target(target)
    if baseline is not None:
        require_writable(baseline)
