"""The pages of commands and of settings, from click's commands."""

import inspect
import os
from collections.abc import Iterator

import click

from deadringer.mockserver.cli import SUBCOMMANDS, main
from deadringer.mockserver.cli.grouped import OTHERS, Command
from deadringer.mockserver.cli.serve import serve
from deadringer.mockserver.cli.settings import Setting, settings_of

from .markdown import sentence, table


def cli_page() -> str:
    """Return every command with its arguments and options."""
    parts = [
        "# Command line",
        (
            "Every command of `deadringer`, with its options, defaults and environment variables. "
            "The [settings](settings.md) of `serve` are also keys of `pyproject.toml`. "
            "[Exit codes](exit-codes.md) have a page of their own."
        ),
    ]
    context = click.Context(main, info_name="deadringer")
    rows = (
        (one.section, f"[`{name}`](#deadringer-{name})", one.summary)
        for name, one in SUBCOMMANDS.items()
    )
    parts.append(table(("For", "Command", "What it does"), rows))
    parts.append(_COMMAND_LINE_RULES)
    parts += [_command(name, one) for name, one in _commands(context)]
    parts.append(_COMPLETION)
    return "\n\n".join(parts) + "\n"


_COMMAND_LINE_RULES = """\
`deadringer --version` prints the version, `-h` or `--help` the options of a command.

Colors and progress are for terminals: a pipe and a file get neither. `check --color always|never`
decides about colors; otherwise a `NO_COLOR` that is not empty switches them off, and a
`FORCE_COLOR` that is neither empty nor `0` switches them on."""

_COMPLETION = """\
## Shell completion

A shell can complete commands, options, and values: the names of rules, contract faults, chaos
profiles, scenarios and recorded executions, formats of reports, and files. Add the line of your
shell to its start-up file.

Bash 4.4 or newer, `~/.bashrc`:

```sh
eval "$(_DEADRINGER_COMPLETE=bash_source deadringer)"
```

Zsh, `~/.zshrc`, below `compinit`:

```sh
eval "$(_DEADRINGER_COMPLETE=zsh_source deadringer)"
```

Fish, `~/.config/fish/completions/deadringer.fish`:

```sh
_DEADRINGER_COMPLETE=fish_source deadringer | source
```

Each of them starts Python once when the shell starts. To avoid that, write the script to a file
and load the file instead:

```sh
_DEADRINGER_COMPLETE=bash_source deadringer > ~/.deadringer-complete.bash
```"""


def _commands(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None:
            yield name, command


def _command(name: str, command: click.Command) -> str:
    context = click.Context(
        command, info_name=f"deadringer {name}", auto_envvar_prefix=None, default_map={}
    )
    usage = " ".join(command.collect_usage_pieces(context))
    sections = command.sections(context) if isinstance(command, Command) else {}
    parts = [
        f"## deadringer {name}",
        f"```text\ndeadringer {name} {usage}\n```",
        inspect.cleandoc(command.help or ""),
    ]
    for title, options in sections.items():
        rows = (
            (_spelling(one, context), _default(one, context), _variable(one),
             sentence(one.help or ""))
            for one in options
        )  # fmt: skip
        lines = table(("Option", "Default", "Variable", "Meaning"), rows)
        parts += [f"**{title}**", lines] if title != OTHERS else []
    return "\n\n".join(parts)


def _spelling(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{one}`" for one in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} {option.make_metavar(context)}"


def _default(option: click.Option, context: click.Context) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    value = option.get_default(context)
    if value is None or value in ((), "") or "UNSET" in repr(value).upper():
        return ""
    if option.is_flag and not option.secondary_opts:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _variable(option: click.Option) -> str:
    if isinstance(option, Setting):
        return f"`{option.variable}`" if option.variable else ""
    return f"`{option.envvar}`" if option.envvar else ""


def settings_page() -> str:
    """Return every setting of `deadringer serve`: option, variable, key and default."""
    context = click.Context(serve, auto_envvar_prefix=None, default_map={})
    rows = (
        (
            f"`--{one.written}`",
            f"`{one.variable}`" + _joined(one),
            f"`{one.written}`" + (", text or list" if one.multiple else ""),
            _default(one, context) or "none",
            sentence(one.help or ""),
        )
        for one in settings_of(serve)
    )
    return "\n\n".join(
        [
            "# Settings",
            (
                "Each setting of `deadringer serve` is an option, an environment variable, and a "
                "key of `[tool.deadringer]` in `./pyproject.toml`."
            ),
            table(("Option", "Variable", "Key", "Default", "Meaning"), rows),
            _SETTINGS_RULES,
        ]
    )


def _joined(setting: Setting) -> str:
    """Return how several items are joined in a variable, independent of the system."""
    if not setting.multiple:
        return ""
    is_path = setting.separator == os.pathsep
    return ", joined like `PATH`" if is_path else f", joined by `{setting.separator}`"


_SETTINGS_RULES = """\
## Which source is used

- The command line comes first, then the environment, then the file, then the default. Only the
  value that is used is validated. An empty variable or list counts as not set.
- A switch has a negative form, such as `--no-reload`. Its variable and key take `true`, `false`,
  `1`, `0`, `yes` or `no`.
- An unknown `DEADRINGER_…` variable or key is an error, and the message names the nearest one.
  The variables of other `deadringer` commands are ignored. So are those that Kubernetes sets for
  a Service called `deadringer` or `deadringer-…` (`DEADRINGER_SERVICE_HOST`,
  `DEADRINGER_PORT=tcp://…`).
"""
