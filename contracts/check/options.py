"""Options of a check, and the sample sizes of its phases."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from deadringer.contracts.rules import Settings
from deadringer.contracts.violations import Severity

from .access import Access, AccessError, read_key

LONGEST_S = 86_400
"""The upper bound of every time in the options: a day."""


class OptionError(ValueError):
    """An invalid option; the message states which, why, and how to fix it."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of one check. Times are in seconds, sizes in bytes.

    `base_url` is the origin with an optional prefix; paths come from `openapi.yaml`. If
    `workflow_ids` and `run_ids` are empty, the check discovers both.
    """

    base_url: str
    api_key: str
    workflow_ids: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    watch_s: float = 10
    max_requests: int = 3000
    max_time_s: float = 300
    timeout_s: float = 10
    max_body_bytes: int = 50_000_000
    fail_on: Severity = Severity.ERROR
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    seed: int = 0
    writes_allowed: bool = False
    quick: bool = False
    generated_cases: int | None = None
    baseline: Path | None = None
    settings: Settings = field(default_factory=Settings)
    access: Access = field(default_factory=Access)
    wait_s: float = 0

    def __post_init__(self) -> None:
        """Validate the options.

        Raises:
            OptionError: if an option is invalid.
        """
        require_origin(self.base_url)
        try:
            read_key(self.api_key)
        except AccessError as error:
            raise OptionError(str(error)) from error
        if self.run_ids and len(self.workflow_ids) != 1:
            raise OptionError("--run needs exactly one --workflow: the workflow of these runs.")
        if self.max_requests <= 0:
            raise OptionError(f"--max-requests must be above 0, got {self.max_requests}.")
        _require_seconds("--timeout", self.timeout_s)
        _require_seconds("--max-time", self.max_time_s)
        _require_seconds("--watch", self.watch_s, zero=True)
        _require_seconds("--wait-for", self.wait_s, zero=True)


def require_origin(
    base_url: str, *, name: str = "BASE_URL", fix: str = "Pass the key with --api-key."
) -> None:
    """Raise OptionError unless a base URL is an http(s) origin with an optional prefix.

    `name` is that of the argument, `fix` how credentials are passed instead.
    """
    form = "Write it as https://host[:port][/prefix]."
    shown = re.split("[?#]", _without_credentials(base_url), maxsplit=1)[0]
    forbidden = f"{name} {shown!r} must not contain a query, fragment or credentials. {fix}"
    try:
        parts = urlsplit(base_url)
        _port = parts.port
        httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL) as error:
        if shown != base_url:
            raise OptionError(forbidden) from None  # the error may quote a password
        raise OptionError(f"{name} {shown!r} is not a URL: {error}. {form}") from error
    if "://" not in base_url:
        raise OptionError(f"{name} {shown!r} lacks http:// or https://. {form}")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise OptionError(forbidden)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OptionError(f"{name} {shown!r} is not an origin. {form}")
    if quote(parts.path, safe="/%:@!$&'()*+,;=~") != parts.path:
        raise OptionError(f"The path of {name} {shown!r} must be percent-encoded.")


def _require_seconds(option: str, seconds: float, *, zero: bool = False) -> None:
    if not (0 < seconds <= LONGEST_S or (zero and seconds == 0)):
        least = "from" if zero else "above"
        raise OptionError(f"{option} must be {least} 0 to {LONGEST_S} seconds, got {seconds:g}.")


def _without_credentials(url: str) -> str:
    """Return a URL as it may be shown: what precedes an @ may be a password, with / or # in it."""
    scheme, _, rest = url.rpartition("@")[0].partition("://")
    return f"{scheme}://***@{url.rpartition('@')[2]}" if rest else url.rpartition("@")[2]


NARROW_LIMIT = 300


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """The sizes of a check's phases; `watch_s` in seconds, all others are counts."""

    workflows: int
    pages_walked: int
    runs: int
    list_pages: int
    polls: int
    watch_s: float
    foreign: int
    edge_case_ids: int
    near_ids: int
    near_keys: int
    runs_started: int
    runs_watched: int
    reads_between: int
    bad_pages: int
    variables: int
    again: int
    more_runs: int
    generated: int


USUAL = SampleSizes(
    workflows=8,
    pages_walked=4,
    runs=40,
    list_pages=10,
    polls=25,
    watch_s=86_400,
    foreign=40,
    edge_case_ids=8,
    near_ids=26,
    near_keys=8,
    runs_started=3,
    runs_watched=5,
    reads_between=3,
    bad_pages=6,
    variables=4,
    again=16,
    more_runs=30,
    generated=120,
)
NARROW = SampleSizes(
    workflows=4,
    pages_walked=3,
    runs=14,
    list_pages=4,
    polls=6,
    watch_s=86_400,
    foreign=8,
    edge_case_ids=5,
    near_ids=14,
    near_keys=6,
    runs_started=2,
    runs_watched=3,
    reads_between=3,
    bad_pages=4,
    variables=2,
    again=6,
    more_runs=10,
    generated=60,
)
"""For servers that allow no more than a few hundred requests a minute: fits five minutes."""

QUICK = SampleSizes(
    workflows=2,
    pages_walked=2,
    runs=6,
    list_pages=2,
    polls=2,
    watch_s=1.5,
    foreign=2,
    edge_case_ids=2,
    near_ids=2,
    near_keys=1,
    runs_started=1,
    runs_watched=1,
    reads_between=1,
    bad_pages=2,
    variables=1,
    again=3,
    more_runs=0,
    generated=0,
)
"""Fits one window of 100 requests."""


def sample_sizes_for(*, quick: bool, limit: int | None) -> SampleSizes:
    """Return the sample sizes for the option and for the server's requests per window."""
    if quick:
        return QUICK
    return NARROW if limit is not None and limit <= NARROW_LIMIT else USUAL
