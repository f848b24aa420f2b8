"""Time from spawning a server to its first correct response, and its memory after load."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import places, wrk
from .body import KEY_HEADER, ApiResponse, write_files
from .contestants import Contestant, alone, contestants
from .processes import SERVER_CORE, WrongResponseError
from .samples import Sample, interleaved

INTERPRETER, HELP = "python -c pass", "deadringer --help"


@dataclass(frozen=True)
class Starts:
    """Seconds from spawn to first response (of commands: to the end), and MB after load."""

    seconds: dict[str, Sample]
    memory_mb: dict[str, float]


def starts(response: ApiResponse, *, rounds: int, load_s: int) -> Starts:
    """Start all servers in turn on all cores; then start each on one core and load it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, response)
        able = [one for one in contestants() if one.missing() is None]
        measures: dict[str, Callable[[], float | None]] = {
            INTERPRETER: lambda: _ends([sys.executable, "-c", "pass"]),
            HELP: lambda: _ends([places.COMMAND, "--help"]),
        }
        for one in able:
            measures[one.name] = lambda one=one: _start_s(one, folder, response)
        seconds = interleaved(measures, rounds)
        weighed = {one.name: _weighed(one, folder, response, load_s) for one in able}
    return Starts(seconds, {name: mb for name, mb in weighed.items() if mb is not None})


def _ends(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _start_s(one: Contestant, folder: Path, response: ApiResponse) -> float | None:
    every_core = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    try:
        with alone(one, folder, response, every_core) as running:
            return running.start_s
    except (WrongResponseError, OSError):
        return None


def _weighed(one: Contestant, folder: Path, response: ApiResponse, load_s: int) -> float | None:
    try:
        with alone(one, folder, response, SERVER_CORE) as running:
            wrk.load(running.url, load_s, [KEY_HEADER], is_strict=False)
            return running.memory_mb()
    except (WrongResponseError, OSError):
        return None
