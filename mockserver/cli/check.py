"""`deadringer check BASE_URL`: test a server against every rule of the contract."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from deadringer.contracts.check import (
    FORMATS,
    WAITING,
    BaselineError,
    CheckOptions,
    OptionError,
    Report,
    ReportError,
    apply_baseline,
    load_baseline,
    render_text,
    require_target,
    require_writable,
    run_check,
    update_baseline,
    write_report,
    write_step_summary,
)
from deadringer.contracts.rules import Settings, Severity


@click.command("check")
@click.argument("base_url")
@click.option("--api-key", envvar="DEADRINGER_API_KEY", help="A valid key of the server.")
@click.option(
    "--workflow", "workflow_ids", multiple=True, metavar="ID", help="Check this workflow."
)
@click.option("--run", "run_ids", multiple=True, metavar="ID", help="Check this run of --workflow.")
@click.option("--watch", "watch_s", default=10.0, show_default=True, metavar="SECONDS",
              help="How long to follow a running run.")  # fmt: skip
@click.option("--max-requests", default=500, show_default=True, metavar="N",
              help="Send no more requests than this.")  # fmt: skip
@click.option("--max-time", "max_time_s", default=900.0, show_default=True, metavar="SECONDS",
              help="Take no longer than this, waits for the rate limit included.")  # fmt: skip
@click.option("--timeout", "timeout_s", default=10.0, show_default=True, metavar="SECONDS",
              help="Give each request this long, first to last byte.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["error", "warning"]), default="error",
              show_default=True, help="Fail on violations of this severity.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Also report members that are not in the contract.")
@click.option("--only", multiple=True, metavar="RULE-OR-GROUP", help="Test only these rules.")
@click.option("--skip", multiple=True, metavar="RULE-OR-GROUP", help="Skip these rules.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.option("--allow-writes", "writes_allowed", is_flag=True,
              help="Also start test runs and send writing methods.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Fewer runs, no generated requests.")
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Findings that are accepted for now.")  # fmt: skip
@click.option("--baseline-update", is_flag=True, help="Write today's findings to --baseline.")
@click.option("--report", "reports", multiple=True, metavar="FORMAT=PATH",
              help=f"Also write a report; formats: {', '.join(FORMATS)}.")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary and failed rules.")
@click.option("--verbose", "-v", is_flag=True, help="Print every rule and every example.")
def command(**given: Any) -> None:
    """Test the server at BASE_URL (https://host[:port][/prefix]) against every rule.

    Sends only reads unless --allow-writes. Exit code: 0 passed, 1 failed, 2 inconclusive.
    """
    reports, baseline_update = given.pop("reports"), given.pop("baseline_update")
    loudness = {"quiet": given.pop("quiet"), "verbose": given.pop("verbose")}
    try:
        options = _options(given, update=baseline_update)
        _require_writable_targets(reports, options.baseline if baseline_update else None)
        report = _checked(options, quiet=loudness["quiet"], update=baseline_update)
        click.echo(render_text(report, color=_wants_color(), **loudness))
        for target in reports:
            write_report(report, target)
        write_step_summary(report, os.environ)
    except (OptionError, BaselineError, ReportError) as error:
        click.echo(f"deadringer check: {error}", err=True)
        sys.exit(2)
    sys.exit(report.exit_code)


def _options(given: dict[str, Any], *, update: bool) -> CheckOptions:
    if not (given["api_key"] or "").strip():
        raise OptionError("no key. Pass one with --api-key, or set DEADRINGER_API_KEY.")
    if update and given["baseline"] is None:
        raise OptionError("--baseline-update needs --baseline FILE: the file to write.")
    settings = Settings(strict=given.pop("strict"))
    given["fail_on"] = Severity(given["fail_on"])
    return CheckOptions(**given, settings=settings)


def _checked(options: CheckOptions, *, quiet: bool, update: bool) -> Report:
    baseline = None
    if options.baseline and not (update and not options.baseline.exists()):
        baseline = load_baseline(options.baseline)
    try:
        report = run_check(options, progress=_progress(quiet=quiet))
    except ValueError as error:
        raise OptionError(str(error)) from error
    if update and options.baseline:
        update_baseline(options.baseline, report)
        baseline = load_baseline(options.baseline)
    if baseline is not None:
        report = apply_baseline(report, baseline, fail_on=options.fail_on)
    return report


def _progress(*, quiet: bool) -> Any:
    """Return a callback that prints phases on a terminal, and waits everywhere."""
    is_watched = sys.stderr.isatty()

    def show(phase: str) -> None:
        if not quiet and (is_watched or phase.startswith(WAITING)):
            click.echo(f"… {phase}", err=True)

    return show


def _require_writable_targets(reports: tuple[str, ...], baseline: Path | None) -> None:
    """Raise before the first request if a report or the baseline could not be written."""
    for target in reports:
        require_target(target)
    if baseline is not None:
        require_writable(baseline)


def _wants_color() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
