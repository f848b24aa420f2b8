"""The command `deadringer`; a subcommand is imported when it is called."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from deadringer.mockserver.exceptions import StartError

from .terminal import drop_standard_output, escape_what_encodings_lack

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Subcommand(NamedTuple):
    """What the list of commands shows of one, and where it is: `module:object`."""

    section: str
    target: str
    summary: str


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "serve": Subcommand(
        "Mock", "deadringer.mockserver.cli.serve:serve", "Serve the mock over HTTP."
    ),
    "check": Subcommand(
        "Check",
        "deadringer.mockserver.cli.check:command",
        "Test a running server against every rule of the contract.",
    ),
    "proxy": Subcommand(
        "Check",
        "deadringer.mockserver.cli.proxy:command",
        "Forward requests to a real server and validate its responses.",
    ),
    "validate": Subcommand(
        "Check",
        "deadringer.mockserver.cli.validate:command",
        "Validate stored documents against the contract.",
    ),
    "coverage": Subcommand(
        "Check",
        "deadringer.mockserver.cli.coverage:command",
        "Report which situations of the API a client has met.",
    ),
    "generate": Subcommand(
        "Data",
        "deadringer.mockserver.cli.generate:command",
        "Generate executions, or export TypeScript, MSW and Postman files.",
    ),
    "examples": Subcommand(
        "Data", "deadringer.mockserver.cli.examples:command", "List or print recorded executions."
    ),
    "sanitize": Subcommand(
        "Data",
        "deadringer.mockserver.cli.sanitize:command",
        "Replace what is personal or secret in documents and HAR files.",
    ),
    "view": Subcommand(
        "Data", "deadringer.mockserver.cli.view:command", "Show one execution as a trace."
    ),
}
"""By name, in the order of --help, so that the list of commands imports none of them."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads them one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command, None if there is none of that name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        module, _, name = SUBCOMMANDS[cmd_name].target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was named, and its arguments.

        Raises:
            click.UsageError: if there is none; the message names the nearest one.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as problem:
            from deadringer.contracts import nearest_names

            nearest = nearest_names(args[0], list(SUBCOMMANDS))[0]
            message = f"There is no command {args[0]!r}. Did you mean {nearest}?"
            raise click.UsageError(message, ctx) from problem

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that keeps a server from starting is one line and exit code 2."""
        escape_what_encodings_lack()
        try:
            return super().invoke(ctx)
        except StartError as problem:
            from deadringer.contracts import escaped

            click.echo(escaped(f"deadringer: {problem}", keep="\n"), err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("deadringer: interrupted", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # A reader that has closed the pipe is no error.
            drop_standard_output()
            ctx.exit(0)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, each with one line."""
        width = max(map(len, SUBCOMMANDS))
        for section in dict.fromkeys(one.section for one in SUBCOMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [
                        (name.ljust(width), one.summary)
                        for name, one in SUBCOMMANDS.items()
                        if one.section == section
                    ]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return the commands that begin so, or options; no command is loaded for it."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=one.summary)
            for name, one in SUBCOMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"deadringer {version('deadringer')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="deadringer COMMAND --help lists the options of a command.",
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """A mock server and contract-testing kit for the Execution Detail API."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
