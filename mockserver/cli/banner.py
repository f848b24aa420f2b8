"""What `serve` prints once it is ready: its address, the key, and some runs to read."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from deadringer.contracts import printable
from deadringer.fixtures import passed_over
from deadringer.mockserver.admin.control import binds_wide
from deadringer.mockserver.config import DEMO_KEY, Settings
from deadringer.mockserver.world.documents import NamedRun

RUNS_PAGE = "/__mock/ui/runs"
_MOST_PASSED_OVER = 5


def banner(base_url: str, settings: Settings, runs: Sequence[NamedRun]) -> str:
    """Return the text; no key is printed except the public demo key."""
    lines = [f"Deadringer serves on {base_url}", _key_line(settings)]
    if settings.control and not base_url.startswith("unix:"):
        lines.append(f"See its runs: {base_url}{RUNS_PAGE}")
    lines.append("")
    example = next((run for run in runs if run.status == "completed"), None)
    if example is not None:
        lines += ["Try it:", f"  {_curl_line(base_url, settings, example)}", ""]
    return "\n".join([*lines, *_table(runs), "Stop with Ctrl-C."])


def warning(settings: Settings) -> str:
    """Return a warning about the settings, "" if there is none."""
    if settings.control and settings.control_token is None and binds_wide(settings.host):
        return (
            f"Warning: other machines can reach {settings.host} and use the control API.\n"
            "Set --control-token TOKEN, or switch the control API off with --no-control."
        )
    return ""


def passed_over_lines(settings: Settings) -> list[str]:
    """Return a line for each --fixtures folder with entries that are not read, and why."""
    return [line for folder in settings.fixtures for line in _passed_over(folder)]


def _passed_over(folder: Path) -> Iterator[str]:
    entries = passed_over(folder)
    if entries:
        shown = "; ".join(f"{one.path.name} ({one.reason})" for one in entries[:_MOST_PASSED_OVER])
        more = len(entries) - _MOST_PASSED_OVER
        rest = f"; and {more} more" if more > 0 else ""
        yield printable(f"Not read in {folder}: {shown}{rest}.")


def _key_line(settings: Settings) -> str:
    if settings.api_keys == (DEMO_KEY,):
        return f"Demo key: {DEMO_KEY}"
    count = len(settings.api_keys)
    return f"Keys: {count} of your own" if count > 1 else "Key: your own"


def _curl_line(base_url: str, settings: Settings, run: NamedRun) -> str:
    key = DEMO_KEY if DEMO_KEY in settings.api_keys else "YOUR_KEY"
    if base_url.startswith("unix:"):
        socket = f"--unix-socket '{base_url.removeprefix('unix:')}' "
        return f"curl {socket}-H 'x-api-key: {key}' 'http://localhost{run.path}'"
    trust = f"--cacert {shlex.quote(str(settings.ssl_certfile))} " if settings.ssl_certfile else ""
    return f"curl {trust}-H 'x-api-key: {key}' '{base_url}{run.path}'"


def _table(runs: Sequence[NamedRun]) -> list[str]:
    if not runs:
        return []
    widths = {
        "name": max(len(run.name) for run in runs),
        "status": max(len(run.status) for run in runs),
        "run_id": max(len(run.run_id) for run in runs),
    }
    rows = [
        f"  {run.name:{widths['name']}}  {run.status:{widths['status']}}  "
        f"{run.run_id:{widths['run_id']}}  {run.story}"
        for run in runs
    ]
    return ["Runs (name, status, run id, story):", *rows, ""]
