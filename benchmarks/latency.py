"""p50 and p99 at constant rates, by the open-loop driver."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .body import KEY_HEADER
from .processes import LOAD_CORE, Running, WrongAnswerError, pinned
from .samples import Sample

LOW_RATE = 200
SHORT_S = 0.2
"""How long a round lasts at high rates. Now and then the host takes a core away for some 50 ms; a
round with such a stall in it has it for its p99, whoever serves, and few long ones have none."""
SHARE = 0.7
"""Of a server's full load, for the rate at which its tail is judged."""


@dataclass(frozen=True)
class Tail:
    """Latencies of one server at one rate, over several rounds; times in seconds."""

    name: str
    rate: float
    p50: Sample
    p99: Sample
    late_p99: Sample
    stopped: Sample
    answered: float
    """The share of the requests that got a response in time."""


def tails(
    running: Mapping[str, Running],
    rates: Sequence[tuple[str, float]],
    *,
    seconds: float,
    rounds: int,
) -> list[Tail]:
    """Measure each (server, rate) in interleaved rounds; those who cannot are left out."""
    message: dict[tuple[str, float], list[dict[str, float]]] = {pair: [] for pair in rates}
    for _ in range(rounds):
        for name, rate in rates:
            # A server that breaks off at a rate has no latency there.
            with contextlib.suppress(WrongAnswerError):
                message[name, rate].append(_once(running[name].url, rate, seconds))
    return [_tail(name, rate, values) for (name, rate), values in message.items() if values]


def _once(url: str, rate: float, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.constant_rate", url, f"{rate:.0f}", str(seconds)]
    ran = subprocess.run(
        pinned([*command, KEY_HEADER], LOAD_CORE), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise WrongAnswerError(ran.stderr.strip().rpartition("\n")[2])
    course: dict[str, float] = json.loads(ran.stdout)
    if course["wrong"]:
        raise WrongAnswerError(f"{course['wrong']} answers at {rate:.0f}/s were no success.")
    return course


def _tail(name: str, rate: float, courses: list[dict[str, float]]) -> Tail:
    def of(key: str) -> Sample:
        return Sample(tuple(course[key] for course in courses))

    requested = sum(course["answered"] + course["unanswered"] for course in courses)
    answered = sum(course["answered"] for course in courses) / requested
    return Tail(name, rate, of("p50"), of("p99"), of("late_p99"), of("stopped"), answered)
