"""p50 and p99 at constant rates, by the open-loop driver."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .body import KEY_HEADER
from .processes import LOAD_CORE, Running, WrongResponseError, pinned
from .samples import Sample

LOW_RATE = 200
SHORT_S = 0.2
"""Duration of a round at high rates. The host occasionally takes a core away for some 50 ms, which
then is the p99 of any server in that round; of short rounds, most have no such stall.
"""
SHARE = 0.7
"""The share of a server's full load at which its tail is measured."""


@dataclass(frozen=True)
class Tail:
    """Latencies of one server at one rate, over several rounds; times in seconds."""

    name: str
    rate: float
    p50: Sample
    p99: Sample
    late_p99: Sample
    stopped: Sample
    served: float
    """The share of requests with a response in time."""


def tails(
    running: Mapping[str, Running],
    rates: Sequence[tuple[str, float]],
    *,
    seconds: float,
    rounds: int,
) -> list[Tail]:
    """Measure each (server, rate) in interleaved rounds; leave out those that fail."""
    measured: dict[tuple[str, float], list[dict[str, float]]] = {pair: [] for pair in rates}
    for _ in range(rounds):
        for name, rate in rates:
            # A server that closes connections at a rate has no latency there.
            with contextlib.suppress(WrongResponseError):
                measured[name, rate].append(_once(running[name].url, rate, seconds))
    return [_tail(name, rate, values) for (name, rate), values in measured.items() if values]


def _once(url: str, rate: float, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.constant_rate", url, f"{rate:.0f}", str(seconds)]
    ran = subprocess.run(
        pinned([*command, KEY_HEADER], LOAD_CORE), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise WrongResponseError(ran.stderr.strip().rpartition("\n")[2])
    course: dict[str, float] = json.loads(ran.stdout)
    if course["wrong"]:
        raise WrongResponseError(f"{course['wrong']} responses at {rate:.0f}/s failed.")
    return course


def _tail(name: str, rate: float, courses: list[dict[str, float]]) -> Tail:
    def of(key: str) -> Sample:
        return Sample(tuple(course[key] for course in courses))

    requested = sum(course["served"] + course["unserved"] for course in courses)
    served = sum(course["served"] for course in courses) / requested
    return Tail(name, rate, of("p50"), of("p99"), of("late_p99"), of("stopped"), served)
