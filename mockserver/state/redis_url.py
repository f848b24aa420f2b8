"""The address of a Redis server, as it is written in `--state`."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

USUAL_NAME = "default"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORM = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][#NAME]"
_OPTIONS = frozenset({"ssl_ca_certs"})


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where the shared state is: a server, and the name of one mock on it.

    `str` shows it without user and password.
    """

    secret_url: str = field(repr=False)
    """The address with user and password, without the name."""
    shown: str
    name: str = USUAL_NAME

    def __str__(self) -> str:
        """Return the address without its secrets."""
        return self.shown


def is_url(written: str) -> bool:
    """Return whether a text is the address of a server, and no path."""
    return _SCHEME.match(written) is not None


def parse_redis_url(written: str) -> RedisUrl:
    """Return the address in `redis://host:6379/0#name`; `rediss` is Redis over TLS.

    Raises:
        ValueError: if it is none; the message quotes nothing that may be secret.
    """
    scheme = _SCHEME.match(written)
    if scheme is None or scheme[1].lower() not in {"redis", "rediss"}:
        raise ValueError(f"it is neither the path of a file nor {_FORM}")
    try:
        parts = urlsplit(written)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise ValueError(f"its host or port is not valid; write {_FORM}") from problem
    if not host:
        raise ValueError(f"it names no host; write {_FORM}")
    database = parts.path.strip("/")
    if not re.fullmatch(r"[0-9]{0,5}", database):
        raise ValueError(f"the database {database!r} is not a number; write {_FORM}")
    unknown = sorted({name for name, _ in parse_qsl(parts.query)} - _OPTIONS)
    if unknown:
        raise ValueError(f"it has the unknown option {unknown[0]}; known: ssl_ca_certs")
    name = parts.fragment or USUAL_NAME
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} after # is not 1 to 64 of A-Z a-z 0-9 . _ -")
    place = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{place}:{port or 6379}/{database or 0}#{name}"
    return RedisUrl(parts._replace(fragment="").geturl(), shown, name)
