"""Settings: read from the command line, else from a variable, else from pyproject.toml.

Click does the work: each setting is an option, `auto_envvar_prefix` names its variable, and
`[tool.deadringer]` becomes the `default_map`. A context without prefix and with an empty
`default_map` reads the command line only.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from deadringer.mockserver.config import Settings, SettingsError
from deadringer.mockserver.state.rate_windows import RatePolicy
from deadringer.mockserver.state.redis_url import RedisUrl, is_url, parse_redis_url

from .grouped import Command, Option

PREFIX = "DEADRINGER"
PROJECT_FILE = Path("pyproject.toml")
_PROJECT_TABLE = f"[tool.deadringer] in {PROJECT_FILE}"
OTHER_VARIABLES = frozenset(
    {"DEADRINGER_FAIL_ON", "DEADRINGER_RUN", "DEADRINGER_URL", "DEADRINGER_WORKFLOW"}
)
"""Variables of the Schemathesis hooks and of scripts around a server, which ignores them."""
_OF_A_SERVICE = re.compile(
    rf"{PREFIX}_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_[A-Z]+(_(ADDR|PORT|PROTO))?)"
)


class Setting(Option):
    """An option of `serve` that is also a variable and a key of [tool.deadringer].

    `field` is the field of `Settings` it fills, by default the one of the option's name; the
    default value is the field's. In a text, the items of a `multiple` setting are joined by
    `separator`.
    """

    def __init__(
        self,
        declarations: Sequence[str],
        *,
        field: str = "",
        separator: str = ",",
        **attributes: Any,
    ) -> None:
        super().__init__(declarations, **attributes)
        self.written = self.opts[0].removeprefix("--")
        self.variable = f"{PREFIX}_{str(self.name).upper()}"
        self.field = field or str(self.name)
        self.separator = separator
        self.default = getattr(Settings(), self.field)
        if self.default in (None, ()) and self.show_default is True:
            self.show_default = "none"

    def items(self, value: str | Iterable[Any]) -> list[Any]:
        """Return the items of a text or list that are not empty."""
        if isinstance(value, str):
            value = (item.strip() for item in value.split(self.separator))
        return [item for item in value if item != ""]

    def consume_value(
        self, ctx: click.Context, opts: Mapping[str, Any]
    ) -> tuple[Any, ParameterSource]:
        """Return the value of the first source that has one, and the source."""
        if ctx.default_map is None and not ctx.resilient_parsing:
            ctx.default_map = _project_defaults(settings_of(ctx.command))
        if self.multiple and not any(opts.get(str(self.name)) or ()):
            opts = {}  # options without a text count as absent
        return super().consume_value(ctx, opts)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the text of the variable, or its items; None if it is not set, or empty."""
        text = self.resolve_envvar_value(ctx)
        if text is None or _is_from_kubernetes(self.variable, text):
            return None
        return (self.items(text) or None) if self.multiple else text

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value in its type; TOML has kinds of values that a command line has not."""
        if self.multiple:
            value = self.items(value)
        elif isinstance(value, (list, dict)):
            raise click.BadParameter("it takes a single value")
        elif self.is_flag:
            value = str(value)
        return super().type_cast_value(ctx, value)

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value to use.

        Raises:
            SettingsError: if it cannot be used.
        """
        try:
            return super().process_value(ctx, value)
        except click.BadParameter as problem:
            reason = problem.message.rstrip(".")
            raise SettingsError(
                f"Setting {self.written}: {reason} (from {self._source(ctx)})."
            ) from None

    def _source(self, ctx: click.Context) -> str:
        source = ctx.get_parameter_source(str(self.name))
        if source is ParameterSource.ENVIRONMENT:
            return self.variable
        return _PROJECT_TABLE if source is ParameterSource.DEFAULT_MAP else f"--{self.written}"


class SettingsCommand(Command):
    """A command with settings, whose --help has no variable."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option --help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.allow_from_autoenv = False
        return option


def settings_of(command: click.Command) -> list[Setting]:
    """Return the settings among the parameters of a command."""
    return [option for option in command.params if isinstance(option, Setting)]


def settings_from(ctx: click.Context) -> Settings:
    """Return the settings of a parsed command line and the sources below it.

    Raises:
        SettingsError: if a variable with the prefix is unknown.
    """
    options = settings_of(ctx.command)
    if ctx.auto_envvar_prefix:
        _refuse_unknown_variables(options)
    return Settings(**{option.field: ctx.params[str(option.name)] for option in options})


def _refuse_unknown_variables(options: Iterable[Setting]) -> None:
    known = OTHER_VARIABLES | {option.variable for option in options}
    for variable in sorted(os.environ.keys() - known):
        if variable.startswith(f"{PREFIX}_") and not _is_from_kubernetes(
            variable, os.environ[variable]
        ):
            raise _unknown("environment variable", variable, known)


def _is_from_kubernetes(variable: str, value: str) -> bool:
    """Return whether Kubernetes sets this variable for a Service called deadringer or deadringer-….

    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    if re.fullmatch(rf"{PREFIX}_(\w+_)?PORT", variable) and re.match("(tcp|udp|sctp)://", value):
        return True
    return _OF_A_SERVICE.fullmatch(variable) is not None


def _project_defaults(options: Iterable[Setting]) -> dict[str, Any]:
    """Return the table of the project file as a `default_map`, without empty lists."""
    named = {option.written: option for option in options}
    defaults = {}
    for written, value in _project_table().items():
        option = named.get(written.replace("_", "-"))
        if option is None:
            if isinstance(value, dict):  # the table of another command
                continue
            raise _unknown("setting", written, named, f" in {_PROJECT_TABLE}")
        if option.multiple:
            value = option.items(value if isinstance(value, (str, list)) else [value])
        if value != []:
            defaults[str(option.name)] = value
    return defaults


def _project_table() -> dict[str, Any]:
    if not os.path.lexists(PROJECT_FILE):
        return {}
    import tomllib  # most folders have no such file

    from deadringer.contracts.input_files import InputFileError, read_text_file

    try:
        text = read_text_file(PROJECT_FILE)
    except InputFileError as problem:
        raise SettingsError(f"Cannot read {PROJECT_FILE}: {problem}.") from problem

    try:
        table = tomllib.loads(text).get("tool", {}).get("deadringer", {})
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{PROJECT_FILE} is not valid TOML: {problem}.") from problem
    if not isinstance(table, dict):
        raise SettingsError(f"{_PROJECT_TABLE} must be a table.")
    return table


def _unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> SettingsError:
    from deadringer.contracts import nearest_names  # only needed for mistakes

    names = sorted(known)
    return SettingsError(
        f"Unknown {kind} {name}{where}. Did you mean {nearest_names(name, names)[0]}? "
        f"Known: {', '.join(names)}."
    )


class Whole(click.IntRange):
    """A whole number in ASCII digits within a range; `hint` follows the range in errors."""

    name = "number"

    def __init__(self, low: int, high: int, hint: str = "") -> None:
        super().__init__(low, high)
        self.allowed = range(low, high + 1)
        self.wanted = f"a whole number from {low} to {high}{hint}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value).strip()
        # int() takes other digits as well, and raises another error from 4,300 digits on.
        if not re.fullmatch("[0-9]{1,15}", text) or int(text) not in self.allowed:
            self.fail(f"{value!r} is not {self.wanted}", param, ctx)
        return int(text)


def read_text(value: Any) -> str:
    """Return a text without surrounding spaces; the error hides it, for it may be secret."""
    if not isinstance(value, str) or not value.strip():
        raise click.BadParameter("it must be a text, and not empty")
    return value.strip()


def read_host(value: Any) -> str:
    """Return a name or address; one of IPv6 may stand in brackets, as in a URL."""
    return read_text(value).removeprefix("[").removesuffix("]")


def read_path(value: Any) -> Path:
    """Return the path of a file or folder."""
    return Path(read_text(value))


def read_state(value: Any) -> Path | RedisUrl:
    """Return the path of a state file, or the address of a Redis server."""
    if isinstance(value, RedisUrl):
        return value
    written = read_text(value)
    if not is_url(written):
        return Path(written)
    try:
        return parse_redis_url(written)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem


def read_api_key(value: Any) -> str:
    """Return a key; the error hides it, for it may be a real key with a typing error."""
    key = read_text(value)
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise click.BadParameter("a key may hold only visible ASCII characters, no spaces")
    return key


def read_host_name(value: Any) -> str:
    """Return the name or address of a host, without port."""
    name = read_text(value)
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", name):
        raise click.BadParameter(f"{name!r} is not a host name such as mock.example, without port")
    return name


def read_contract_fault(value: Any) -> str:
    """Return the name of a contract fault."""
    # Imported here: few servers have contract faults.
    from deadringer.mockserver.faults.contract import UnknownFaultError, faults_named

    name = read_text(value)
    try:
        faults_named([name])
    except UnknownFaultError as problem:
        raise click.BadParameter(str(problem)) from problem
    return name


def read_chaos(value: Any) -> str:
    """Return the name of a chaos profile."""
    from deadringer.mockserver.faults.transport import CHAOS  # needs Flask, which --help does not

    return str(click.Choice(tuple(CHAOS)).convert(value, None, None))


def read_rate_policy(value: Any) -> RatePolicy:
    """Return the policy written as `<requests>/<seconds>`."""
    if isinstance(value, RatePolicy):
        return value
    written = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", str(value).strip())
    if written is None:
        raise click.BadParameter(
            f"{value!r} is not <requests>/<seconds>, both above 0, such as 100/60"
        )
    return RatePolicy(limit=int(written[1]), window_s=int(written[2]))


def read_workers(value: Any) -> int:
    """Return the number of serving processes, which is 1: what a session changes is in its memory.

    Raises:
        click.BadParameter: for any other number, with what to do instead.
    """
    if str(value).strip() != "1":
        raise click.BadParameter(
            f"{value!r} is not 1: one process serves. For more, run several mocks behind a load "
            "balancer, and let them share sessions and rate limits by --state redis://HOST"
        )
    return 1


def read_speed(value: Any) -> float:
    """Return how fast the clock runs, 1 for real time."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text) or float(text) <= 0:
        raise click.BadParameter(
            f"{value!r} is not a number above 0, such as 20; --freeze stops the clock"
        )
    return float(text)


def read_limit(value: Any) -> tuple[str, float]:
    """Return a limit of the HTTP server, `NAME=VALUE`: its name and value."""
    from dataclasses import fields

    from deadringer.mockserver.server import Limits

    if isinstance(value, tuple):
        return value
    known = {one.name: one.type for one in fields(Limits)}
    name, _, text = str(value).partition("=")
    if name not in known:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(known)}")
    number = r"[0-9]{1,15}" if known[name] is int else r"[0-9]{1,9}(\.[0-9]{1,6})?"
    if not re.fullmatch(number, text) or float(text) <= 0:
        kind = "a whole number" if known[name] is int else "a number of seconds"
        raise click.BadParameter(f"{value!r} is not {name}=VALUE with {kind} above 0")
    return name, int(text) if known[name] is int else float(text)


def read_time(value: Any) -> str:
    """Return the text of a time with a zone, which TOML may hold as a time."""
    from deadringer.contracts import (
        parse_timestamp,
    )  # brings jsonschema, which --help does not need

    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if parse_timestamp(text) is None:
        raise click.BadParameter(
            f"{value!r} is not a time with a zone, such as 2026-03-27T10:15:00Z"
        )
    return text
