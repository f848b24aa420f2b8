"""What people write for a setting, read into a value; each raises ValueError with what is wrong."""

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

MOST_RUNS = 10_000_000
MOST_WORKERS = 64
MOST_MEGABYTES = 65_536


class RatePolicy(NamedTuple):
    """How many requests one key may make in a window; written `100/60`."""

    limit: int = 100
    window_s: int = 60


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
        from .contract_faults import UnknownFaultError, faults_named

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


def read_workers(value: Any) -> int:
    """Read how many processes serve."""
    from .workers import can_fork

    count = read_whole(value)
    if not 1 <= count <= MOST_WORKERS:
        raise ValueError(f"{value!r} is not from 1 to {MOST_WORKERS}")
    if count > 1 and not can_fork():
        raise ValueError("this system cannot fork safely; use 1")
    return count


def read_speed(value: Any) -> float:
    """Read how fast the clock goes."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text) or float(text) <= 0:
        raise ValueError(f"{value!r} is not a number above 0, such as 20; --freeze stops the clock")
    return float(text)


def read_moment(value: Any) -> str:
    """Read a time with a zone; give its text."""
    from contracts import parse_timestamp  # brings jsonschema, which --help can do without

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
    from .transport_faults import CHAOS  # needs Flask, which a refused setting does not

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
