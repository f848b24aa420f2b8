"""The settings of a server, and their defaults. `cli/settings.py` reads them."""

from dataclasses import dataclass, field
from pathlib import Path

from deadringer.mockserver.state.rate_windows import RatePolicy
from deadringer.mockserver.state.redis_url import RedisUrl

from .exceptions import StartError

DEMO_KEY = "trig_demo_key_0123456789abcdef"


class SettingsError(StartError):
    """A setting is unknown, or its value cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a server, one field per option of `serve`."""

    host: str = "127.0.0.1"
    port: int = 4010
    api_keys: tuple[str, ...] = (DEMO_KEY,)
    fixtures: tuple[Path, ...] = ()
    reload: bool = False
    log_format: str = "text"
    rate_limit: str = "report"
    rate_policy: RatePolicy = field(default_factory=RatePolicy)
    cors: str = "reflect"
    breaks: tuple[str, ...] = ()
    workers: int = 1
    seed: int = 1
    runs_per_workflow: int | None = None
    empty: bool = False
    speed: float = 1
    freeze: str | None = None
    state: Path | RedisUrl | None = None
    chaos: str | None = None
    scenario: str | None = None
    control: bool = True
    control_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    cache_mb: int = 64
    max_sessions: int = 1000
    uds: Path | None = None
    fd: int | None = None
    tls: bool = False
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    limits: tuple[tuple[str, float], ...] = ()
