"""Write the generated pages of the documentation: `python -m docs.generate`.

Each page is a function without arguments that returns Markdown; `PAGES` names the file of each. The
pages are checked in, and `tests/project/test_docs.py` compares them with what this module returns.
"""

import ast
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import yaml

from deadringer.contracts.rules import combinations
from deadringer.contracts.rules import page as rules
from deadringer.mockserver.cli import SUBCOMMANDS, main
from deadringer.mockserver.cli.grouped import OTHERS, Command
from deadringer.mockserver.cli.serve import serve
from deadringer.mockserver.cli.settings import Setting, settings_of
from deadringer.mockserver.control_spec import control_specification
from deadringer.mockserver.faults.contract import docs as contract_faults
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS

DOCS = Path(__file__).resolve().parent
CONFIGURATION = DOCS.parent / "mkdocs.yml"
FRONT_DOORS = (
    "deadringer.contracts",
    "deadringer.contracts.testing",
    "deadringer.contracts.documents",
    "deadringer.contracts.rules",
    "deadringer.contracts.check",
    "deadringer.fixtures",
    "deadringer.fixtures.strategies",
    "deadringer.fixtures.output",
    "deadringer.mockserver",
)
"""Modules whose `__all__` is public; `deadringer.mockserver.testing.client` adds `ExecutionApi`."""
CLIENT = ("deadringer.mockserver.testing.client", "ExecutionApi")

Rows = Iterator[tuple[str, ...]]


def table(head: tuple[str, ...], rows: Rows) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    """Return a text as one line that ends with a full stop."""
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."


# Command line


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
             _sentence(one.help or ""))
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
        return f"`{option.variable}`"
    return f"`{option.envvar}`" if option.envvar else ""


# Settings


def settings_page() -> str:
    """Return every setting of `deadringer serve`: option, variable, key and default."""
    context = click.Context(serve, auto_envvar_prefix=None, default_map={})
    rows = (
        (
            f"`--{one.written}`",
            f"`{one.variable}`" + _joined(one),
            f"`{one.written}`" + (", text or list" if one.multiple else ""),
            _default(one, context) or "none",
            _sentence(one.help or ""),
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

# Transport faults


def transport_faults_page() -> str:
    """Return the kinds of transport faults, their members, and the chaos profiles."""
    scope = control_specification()["components"]["schemas"]["FaultScope"]["properties"]
    kinds = (
        (f"`{kind.name}`", kind.description, _parameters(kind.parameters))
        for kind in KINDS.values()
    )
    members = ((f"`{name}`", _sentence(one.get("description", ""))) for name, one in scope.items())
    mixes = (
        (f"`{name}`", story, "; ".join(_fault(one) for one in faults))
        for name, (story, faults) in CHAOS.items()
    )
    return "\n\n".join(
        [
            "# Transport faults",
            (
                "A transport fault changes how a response travels: late, damaged, or replaced by "
                "an error status. [Make requests fail](../guides/faults.md) shows how to use them."
            ),
            "## Kinds",
            table(("`kind`", "Effect", "Parameters and defaults"), kinds),
            "## Which requests, and when",
            (
                "These members go with every kind. A fault without them applies to every request "
                "under `/v1`."
            ),
            table(("Member", "Meaning"), members),
            "## Names for `Prefer: fault=NAME`",
            ", ".join(f"`{name}`" for name in NAMED_FAULTS) + ", and every "
            "[contract fault](contract-faults.md).",
            "## Profiles of `--chaos`",
            table(("Profile", "Description", "Faults"), mixes) + "\n",
        ]
    )


def _parameters(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"`{name}`" + ("" if value is None else f" {value}") for name, value in values.items()
    )


def _fault(fault: Mapping[str, Any]) -> str:
    members = (f"`{name}` {value}" for name, value in fault.items() if name not in {"kind", "seed"})
    return f"`{fault['kind']}` " + ", ".join(members)


# Control API

_METHODS = ("get", "put", "post", "patch", "delete")


def control_page() -> str:
    """Return every operation of the control API, from its OpenAPI document."""
    document = control_specification()
    operations = [
        (method.upper(), path, item, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    rows = (
        (f"[`{method} {path}`](#{one['operationId'].lower()})", _sentence(one["summary"]))
        for method, path, _, one in operations
    )
    parts = [
        "# Control API",
        (
            "JSON requests under `/__mock/` change the mock while it runs: clock, faults, "
            "scenarios, runs and journal. The mock serves this reference itself, as "
            "`/__mock/openapi.json` and as a page that sends requests, `/__mock/ui/contract`. "
            "[Sessions and the control API](../guides/control.md) shows it in use."
        ),
        table(("Request", "Effect"), rows),
    ]
    parts += [_operation(document, *one) for one in operations]
    return "\n\n".join(parts) + "\n"


def _operation(
    document: Mapping[str, Any],
    method: str,
    path: str,
    item: Mapping[str, Any],
    operation: Mapping[str, Any],
) -> str:
    parts = [f"### {operation['operationId']}", f"`{method} {path}`"]
    parts.append(_sentence(operation["summary"]))
    if text := operation.get("description"):
        parts.append(inspect.cleandoc(text))
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    rows = [
        (f"`{one['name']}`", one["in"], _sentence(one.get("description", "")))
        for one in (_resolved(document, each) for each in parameters)
    ]
    if rows:
        parts.append(table(("Parameter", "In", "Meaning"), iter(rows)))
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])
        (media,) = list(body["content"].values())[:1]
        parts += ["Body:", _body(document, media["schema"])]
    return "\n\n".join(parts)


def _body(document: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    schema = _resolved(document, reference)
    name = reference.get("$ref", "").rpartition("/")[2]
    if name == "Fault":
        return "A [transport fault](transport-faults.md): `kind`, its parameters and its scope."
    members = schema.get("properties", {})
    if not members:
        return _sentence(schema.get("description", "A JSON object."))
    required = schema.get("required", ())
    rows = (
        (
            f"`{member}`" + (" (required)" if member in required else ""),
            _type(_resolved(document, one)),
            _sentence(one.get("description") or _resolved(document, one).get("description", "")),
        )
        for member, one in members.items()
    )
    return table(("Member", "Type", "Meaning"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference within the document refers to."""
    found: Any = part
    while "$ref" in found and found["$ref"].startswith("#/"):
        reference = found["$ref"]
        found = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    return dict(found)


# Python


def python_page() -> str:
    """Return the public names of every front door, with signature and docstring."""
    parts = [
        "# Python API",
        (
            "What can be imported. Everything in the `__all__` of these modules is public; other "
            "modules may change in any release."
        ),
    ]
    for door in FRONT_DOORS:
        module = import_module(door)
        parts += [f"## {door}", _docstring(inspect.getdoc(module) or "")]
        parts += [_public(module, name) for name in module.__all__]
    parts += [f"## {CLIENT[0]}", _public(import_module(CLIENT[0]), CLIENT[1])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _public(module: Any, name: str) -> str:
    value = getattr(module, name)
    head = f"### {module.__name__.removeprefix('deadringer.')}.{name}"
    value = inspect.unwrap(value) if callable(value) else value
    is_own = str(getattr(value, "__module__", "")).startswith("deadringer")
    if not is_own or not (inspect.isclass(value) or inspect.isfunction(value)):
        return "\n\n".join(part for part in (head, _constant(module, name)) if part)
    try:
        node = ast.parse(inspect.cleandoc("\n" + inspect.getsource(value))).body[0]
    except (OSError, TypeError):
        return f"{head}\n\n{_docstring(inspect.getdoc(value) or '')}"
    if isinstance(node, ast.FunctionDef):
        text = ast.get_docstring(node) or ""
        return f"{head}\n\n```python\n{_signature(node)}\n```\n\n{_docstring(text)}"
    if not isinstance(node, ast.ClassDef):
        return head
    code = [
        f"class {name}" + (f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else "")
    ]
    code += [
        f"    {ast.unparse(one)}"
        for one in node.body
        if isinstance(one, ast.AnnAssign) and not ast.unparse(one.target).startswith("_")
    ]
    methods = [
        one
        for one in node.body
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
    ]
    rows = ((f"`{_signature(one)}`", (ast.get_docstring(one) or "").partition("\n\n")[0])
            for one in methods)  # fmt: skip
    parts = [head, "```python\n" + "\n".join(code) + "\n```"]
    parts.append(_docstring(ast.get_docstring(node) or ""))
    if methods:
        parts.append(table(("Method", "Effect"), rows))
    return "\n\n".join(part for part in parts if part)


def _signature(node: ast.FunctionDef) -> str:
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returned}".replace("self, ", "").replace(
        "(self)", "()"
    )


def _constant(module: Any, name: str) -> str:
    """Return the documentation of a value: the string below its assignment."""
    home = _home(module, name)
    source = inspect.getsource(home)
    body = ast.parse(source).body
    for place, node in enumerate(body):
        targets = [
            *getattr(node, "targets", ()),
            getattr(node, "target", None),
            getattr(node, "name", None),
        ]
        if name not in {one.id for one in targets if isinstance(one, ast.Name)}:
            continue
        is_plain = isinstance(getattr(node, "value", None), ast.Constant | ast.BinOp | ast.Name)
        kind = f"{name}: {type(getattr(module, name)).__name__}"
        code = f"```python\n{ast.get_source_segment(source, node) if is_plain else kind}\n```"
        following = body[place + 1] if place + 1 < len(body) else None
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            return f"{code}\n\n{_docstring(str(following.value.value))}"
        return code
    return ""


def _home(module: Any, name: str) -> Any:
    """Return the module that defines a name, following the imports of it."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and name in {one.name for one in node.names}:
            relative = "." * node.level + (node.module or "")
            package = module.__package__ if node.level else None
            return _home(import_module(relative, package), name)
    return module


def _docstring(text: str) -> str:
    """Return a docstring as Markdown: its `Raises:` as a list, its other indented text as code."""
    cleaned = inspect.cleandoc(text)
    return re.sub(
        r"^Raises:\n((?: {4}.*\n?)+)",
        lambda found: "Raises:\n\n" + _raised(inspect.cleandoc("\n" + found[1])),
        cleaned,
        flags=re.MULTILINE,
    )


def _raised(text: str) -> str:
    lines = re.sub(r"\n +", " ", text).splitlines()
    return "\n".join(
        re.sub(r"^(\w[\w.]*):", lambda found: f"- `{found[1]}`:", line) for line in lines
    )


# Pages for programs that read documentation


def navigation() -> list[str]:
    """Return the pages that the navigation reaches, in its order."""
    return list(_leaves(yaml.safe_load(CONFIGURATION.read_text("utf-8"))["nav"]))


def _leaves(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for one in part.values():
            yield from _leaves(one)
    else:
        for one in part:
            yield from _leaves(one)


def llms_page() -> str:
    """Return `llms.txt`: a link and one line for each page, in the order of the navigation."""
    lines = [
        "# deadringer",
        "",
        (
            "> A mock server and contract-testing kit for one API: the Execution Detail endpoint "
            "of a workflow-automation service."
        ),
    ]
    section = None
    for page in navigation():
        folder = page.rpartition("/")[0]
        if folder != section:
            section = folder
            lines += ["", f"## {(folder or 'Start').capitalize()}", ""]
        title, line = _summary((DOCS / page).read_text("utf-8"))
        lines.append(f"- [{title}]({page}): {line}")
    return "\n".join(lines) + "\n"


def _summary(text: str) -> tuple[str, str]:
    """Return the title of a page, and the first sentence below it without its links."""
    title, _, rest = text.partition("\n")
    paragraph = " ".join(rest.strip().partition("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]
    return title.removeprefix("# "), re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence)


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli_page,
    "reference/settings.md": settings_page,
    "reference/control-api.md": control_page,
    "reference/rules.md": rules.page,
    "reference/combinations.md": combinations.page,
    "reference/contract-faults.md": contract_faults.page,
    "reference/transport-faults.md": transport_faults_page,
    "reference/python.md": python_page,
    "llms.txt": llms_page,
}
"""File below `docs/` to the function that returns it; `llms.txt` is last and reads the others."""


def write() -> None:
    """Write every generated page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(write())
