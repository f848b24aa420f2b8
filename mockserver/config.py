"""The settings: the command line, then DEADRINGER_* variables, then pyproject.toml."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from deadringer.mockserver.state.rate_windows import RatePolicy

from .exceptions import StartError

MOST_RUNS = 10_000_000
MOST_MEGABYTES = 65_536


def read_host(value: Any) -> str:
    """Read the name or address to listen on."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a host name or address such as 127.0.0.1")
    return value.strip()


def read_port(value: Any) -> int:
    """Read a port, 0 for a free one."""
    text = str(value).strip()
    # Longer digit strings cannot be a port, and int() refuses the very long ones in its own words.
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"{value!r} is not a whole number from 0 to 65535 (0 picks a free port)")
    return int(text)


def read_api_keys(value: Any) -> tuple[str, ...]:
    """Read keys, joined by commas or as a list."""
    keys = tuple(key for key in _items(value, ",") if key)
    if not all(re.fullmatch(r"[\x21-\x7e]+", key) for key in keys):
        # The value is not shown: it may be a real key with a typing error.
        raise ValueError("a key may hold only visible ASCII characters, no spaces")
    return keys


def read_hosts(value: Any) -> tuple[str, ...]:
    """Read names without ports."""
    names = tuple(name for name in _items(value, ",") if name)
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", name):
            raise ValueError(f"{name!r} is not a host name such as mock.example (without port)")
    return names


def read_breaks(value: Any) -> tuple[str, ...]:
    """Read the names of contract faults."""
    names = tuple(name for name in _items(value, ",") if name)
    if names:
        # Told at the start, not at the first request; imported late, few servers are broken.
        from .faults.contract import UnknownFaultError, faults_named

        try:
            faults_named(names)
        except UnknownFaultError as problem:
            raise ValueError(str(problem)) from problem
    return names


def read_folders(value: Any) -> tuple[Path, ...]:
    """Read folders, joined as the system joins paths."""
    return tuple(Path(item) for item in _items(value, os.pathsep) if item)


def read_switch(value: Any) -> bool:
    """Read yes or no."""
    word = str(value).strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0", ""}:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def read_policy(value: Any) -> RatePolicy:
    """Read `<requests>/<seconds>`."""
    written = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", str(value).strip())
    if written is None:
        raise ValueError(f"{value!r} is not <requests>/<seconds>, both above 0, such as 100/60")
    return RatePolicy(limit=int(written[1]), window_s=int(written[2]))


def read_whole(value: Any) -> int:
    """Read a whole number of at most 15 digits."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError(f"{value!r} is not a whole number from 0 to 999999999999999")
    return int(text)


def read_runs(value: Any) -> int:
    """Read how many runs a workflow has."""
    count = read_whole(value)
    if not 1 <= count <= MOST_RUNS:
        raise ValueError(f"{value!r} is not from 1 to {MOST_RUNS}; --empty serves none")
    return count


def read_megabytes(value: Any) -> int:
    """Read a size of memory."""
    size = read_whole(value)
    if size > MOST_MEGABYTES:
        raise ValueError(f"{value!r} is more than {MOST_MEGABYTES}; 0 keeps nothing")
    return size


def read_speed(value: Any) -> float:
    """Read how fast the clock goes."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text) or float(text) <= 0:
        raise ValueError(f"{value!r} is not a number above 0, such as 20; --freeze stops the clock")
    return float(text)


def read_moment(value: Any) -> str:
    """Read a time with a zone; give its text."""
    from deadringer.contracts import (
        parse_timestamp,  # brings jsonschema, which --help can do without
    )

    # TOML has times of its own.
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if parse_timestamp(text) is None:
        raise ValueError(f"{value!r} is not a time with a zone, such as 2026-03-27T10:15:00Z")
    return text


def read_text(value: Any) -> str:
    """Read a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a text")
    return value.strip()


def read_chaos(value: Any) -> str:
    """Read the name of a mix of faults."""
    from .faults.transport import CHAOS  # needs Flask, which a refused setting does not

    return one_of(tuple(CHAOS))(value)


def read_path(value: Any) -> Path:
    """Read the path of a file."""
    return Path(read_text(value))


def one_of(allowed: tuple[str, ...]) -> Callable[[Any], str]:
    """Give what reads one of some words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")
        return str(value)

    return read


def _items(value: Any, separator: str) -> list[str]:
    """Give the members of a list, or of a text that joins them with the separator."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(separator)]
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    raise ValueError(f"{value!r} is neither a text nor a list of texts")


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
    _Setting("cache-mb", "cache_mb", read_megabytes),
)

_VARIABLES_OF_CLIENTS = frozenset({"DEADRINGER_URL"})
"""Read by the commands that call a server; the server itself passes them over."""
