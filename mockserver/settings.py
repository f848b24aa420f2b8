"""The settings: the command line, then DEADRINGER_* variables, then pyproject.toml."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .start_errors import StartError
from .written_settings import (
    RatePolicy,
    one_of,
    read_api_keys,
    read_breaks,
    read_chaos,
    read_folders,
    read_host,
    read_hosts,
    read_megabytes,
    read_moment,
    read_path,
    read_policy,
    read_port,
    read_runs,
    read_speed,
    read_switch,
    read_text,
    read_whole,
    read_workers,
)

DEMO_KEY = "trig_demo_key_0123456789abcdef"
ENVIRONMENT_PREFIX = "DEADRINGER_"
PROJECT_TABLE = "[tool.deadringer]"
LOG_FORMATS = ("text", "json", "off")
RATE_LIMIT_MODES = ("report", "enforce", "off")


class SettingsError(StartError):
    """A setting is unknown, or its value cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be chosen at the start."""

    host: str = "127.0.0.1"
    port: int = 4010
    api_keys: tuple[str, ...] = (DEMO_KEY,)
    fixtures: tuple[Path, ...] = ()
    reload: bool = False
    log_format: str = "text"
    rate_limit: str = "report"
    rate_policy: RatePolicy = field(default_factory=RatePolicy)
    breaks: tuple[str, ...] = ()
    seed: int = 1
    runs_per_workflow: int | None = None
    empty: bool = False
    speed: float = 1
    freeze: str | None = None
    state: Path | None = None
    chaos: str | None = None
    scenario: str | None = None
    control: bool = True
    control_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    workers: int | None = None
    cache_mb: int = 64


class _Setting(NamedTuple):
    """One setting as people write it: `name` on the command line and in pyproject.toml."""

    name: str
    field: str
    read: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper().replace("-", "_")


class _Given(NamedTuple):
    """One value somebody gave, and where."""

    name: str
    value: Any
    origin: str


def load_settings(
    command_line: Mapping[str, Any], environment: Mapping[str, str], project_file: Path
) -> Settings:
    """Give the settings; the command line wins over the environment, that over the project file.

    `command_line` is keyed by option name (`api-key`); None and empty tuples count as not given.

    Raises:
        SettingsError: if a name is unknown or a value cannot be used.
    """
    layers = (
        *_from_project(project_file),
        *_from_environment(environment),
        *_from_command_line(command_line),
    )
    known = {setting.name: setting for setting in _SETTINGS}
    chosen: dict[str, Any] = {}
    for given in layers:
        setting = known[given.name]
        value = _read(setting, given)
        if value != ():  # an empty list says nothing, so the layer below it speaks
            chosen[setting.field] = value
    return Settings(**chosen)


def setting_names() -> tuple[str, ...]:
    """Give the name of every setting, as it is written on the command line."""
    return tuple(setting.name for setting in _SETTINGS)


def _read(setting: _Setting, given: _Given) -> Any:
    try:
        return setting.read(given.value)
    except ValueError as problem:
        raise SettingsError(f"Setting {setting.name}: {problem} (from {given.origin}).") from None


def _from_command_line(command_line: Mapping[str, Any]) -> Iterator[_Given]:
    for name, value in command_line.items():
        if value is not None and value != ():
            yield _Given(name, value, f"--{name}")


def _from_environment(environment: Mapping[str, str]) -> Iterator[_Given]:
    names = {setting.variable: setting.name for setting in _SETTINGS}
    for variable in sorted(environment):
        if variable in names:
            yield _Given(names[variable], environment[variable], variable)
        elif variable.startswith(ENVIRONMENT_PREFIX) and variable not in _VARIABLES_OF_CLIENTS:
            known = ", ".join(sorted([*names, *_VARIABLES_OF_CLIENTS]))
            raise SettingsError(f"Unknown environment variable {variable}. Known: {known}.")


def _from_project(project_file: Path) -> Iterator[_Given]:
    origin = f"{PROJECT_TABLE} in {project_file}"
    for written, value in _project_table(project_file).items():
        name = written.replace("_", "-")
        if name in setting_names():
            yield _Given(name, value, origin)
        elif not isinstance(value, dict):  # a sub-table belongs to another command of ours
            known = ", ".join(sorted(setting_names()))
            raise SettingsError(f"Unknown setting {written} in {origin}. Known: {known}.")


def _project_table(project_file: Path) -> dict[str, Any]:
    try:
        text = project_file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"Cannot read {project_file}: {problem}.") from problem
    import tomllib  # many a folder has no such file

    try:
        table = tomllib.loads(text).get("tool", {}).get("deadringer", {})
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{project_file} is not valid TOML: {problem}.") from problem
    if not isinstance(table, dict):
        raise SettingsError(f"{PROJECT_TABLE} in {project_file} must be a table.")
    return table


_SETTINGS = (
    _Setting("host", "host", read_host),
    _Setting("port", "port", read_port),
    _Setting("api-key", "api_keys", read_api_keys),
    _Setting("fixtures", "fixtures", read_folders),
    _Setting("reload", "reload", read_switch),
    _Setting("log-format", "log_format", one_of(LOG_FORMATS)),
    _Setting("rate-limit", "rate_limit", one_of(RATE_LIMIT_MODES)),
    _Setting("rate-policy", "rate_policy", read_policy),
    _Setting("break", "breaks", read_breaks),
    _Setting("seed", "seed", read_whole),
    _Setting("runs-per-workflow", "runs_per_workflow", read_runs),
    _Setting("empty", "empty", read_switch),
    _Setting("speed", "speed", read_speed),
    _Setting("freeze", "freeze", read_moment),
    _Setting("state", "state", read_path),
    _Setting("chaos", "chaos", read_chaos),
    _Setting("scenario", "scenario", read_text),
    _Setting("control", "control", read_switch),
    _Setting("control-token", "control_token", read_text),
    _Setting("allow-host", "allowed_hosts", read_hosts),
    _Setting("workers", "workers", read_workers),
    _Setting("cache-mb", "cache_mb", read_megabytes),
)

_VARIABLES_OF_CLIENTS = frozenset({"DEADRINGER_URL"})
"""Read by the commands that call a server; the server itself passes them over."""
