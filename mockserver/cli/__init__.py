"""The command `deadringer`; a subcommand is imported when it is called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from deadringer.mockserver.exceptions import StartError

SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "check": (
        "deadringer.mockserver.cli.check:command",
        "Test a server against every rule of the contract.",
    ),
    "validate": (
        "deadringer.mockserver.cli.validate:command",
        "Judge kept documents by the contract.",
    ),
    "generate": (
        "deadringer.mockserver.cli.generate:command",
        "Generate executions, by the million.",
    ),
    "examples": ("deadringer.mockserver.cli.examples:command", "List the recorded executions."),
    "view": ("deadringer.mockserver.cli.view:command", "Show one execution as a trace."),
    "serve": ("deadringer.mockserver.cli.serve:serve", "Serve the mock over HTTP."),
}
"""Name to (module:object, one line of help), so that the list of commands imports none of them."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads them one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command, None if there is none of that name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        module, _, name = SUBCOMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that keeps a server from starting is one line and exit code 2."""
        try:
            return super().invoke(ctx)
        except StartError as problem:
            click.echo(f"deadringer: {problem}", err=True)
            ctx.exit(2)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in SUBCOMMANDS.items()])


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"deadringer {version('deadringer')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def main() -> None:
    """A mock server and contract-testing kit for the Execution Detail API."""
