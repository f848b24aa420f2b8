"""What a check is told before it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from contracts.rules import Settings
from contracts.violations import Grade


class OptionError(ValueError):
    """An option that cannot work; the message says which, why, and what would."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How one check is run. Times in seconds, sizes in bytes.

    `base_url` is the origin with an optional prefix; paths come from `openapi.yaml`.
    `workflow_ids` and `run_ids` direct the check; both empty means discover.
    """

    base_url: str
    api_key: str
    workflow_ids: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    watch_s: float = 10
    max_requests: int = 500
    max_time_s: float = 900
    timeout_s: float = 10
    max_body_bytes: int = 50_000_000
    fail_on: Grade = Grade.ERROR
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    seed: int = 0
    writes_allowed: bool = False
    quick: bool = False
    generated_cases: int | None = None
    baseline: Path | None = None
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            OptionError: with what, where and how to fix.
        """
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise OptionError(
                f"BASE_URL {self.base_url!r} is not an origin. "
                "Write it as https://host[:port][/prefix]."
            )
        if parts.query or parts.fragment or parts.username:
            raise OptionError(
                f"BASE_URL {self.base_url!r} may hold no query, fragment or credentials. "
                "Pass the key with --api-key."
            )
        if self.run_ids and len(self.workflow_ids) != 1:
            raise OptionError(
                "--run needs exactly one --workflow: the workflow the runs belong to."
            )
        for name in ("max_requests", "timeout_s", "max_time_s"):
            if getattr(self, name) <= 0:
                option = "--" + name.removesuffix("_s").replace("_", "-")
                raise OptionError(f"{option} must be above 0, got {getattr(self, name)}.")
