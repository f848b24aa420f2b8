"""The load generator wrk: as many requests as the server can serve."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import LOAD_CORE, WrongResponseError, pinned

CONNECTIONS = 32
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

_PATHS_SCRIPT = """
local paths, number = {}, 0
for line in io.lines("%s") do paths[#paths + 1] = line end
request = function()
  number = number %% #paths + 1
  return wrk.format("GET", paths[number])
end
"""


@dataclass(frozen=True)
class Load:
    """The measurements of one run of wrk; times in seconds."""

    per_second: float
    p50_s: float
    p99_s: float
    refused: int
    """Responses that were neither 2xx nor 3xx, and failed connections."""


def parse(text: str) -> Load:
    """Parse the output of wrk with --latency."""

    def number(pattern: str) -> int:
        found = re.search(pattern, text)
        return sum(map(int, found.groups())) if found else 0

    def latency(share: str) -> float:
        found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s|m)$", text, re.MULTILINE)
        return float(found[1]) * _UNITS_S[found[2]] if found else float("nan")

    rate = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    if rate is None:
        raise WrongResponseError(f"wrk printed no rate: {text.strip()[:200]}")
    refused = number(r"Non-2xx or 3xx responses: (\d+)")
    refused += number(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
    return Load(float(rate[1]), latency("50"), latency("99"), refused)


def load(
    url: str,
    seconds: int,
    headers: Sequence[str],
    *,
    paths: Sequence[str] = (),
    connections: int = CONNECTIONS,
    cores: str = LOAD_CORE,
    is_strict: bool = True,
) -> Load:
    """Request one URL, or several paths of its server in turn, as fast as possible.

    Raises:
        WrongResponseError: if responses were refused or connections failed, unless `is_strict`
            is False.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    with tempfile.TemporaryDirectory() as folder:
        if paths:
            listed, script = Path(folder, "paths.txt"), Path(folder, "paths.lua")
            listed.write_text("\n".join(paths))
            script.write_text(_PATHS_SCRIPT % listed)
            command += ["-s", str(script)]
        ran = subprocess.run(
            pinned([*command, url], cores), capture_output=True, text=True, check=False
        )
    measured = parse(ran.stdout + ran.stderr)
    if measured.refused and is_strict:
        raise WrongResponseError(f"{measured.refused} of its responses under load failed.")
    return measured
