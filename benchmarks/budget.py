"""The time budget of the benchmarks, and progress messages."""

import sys
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Budget:
    """The number and duration of rounds of each measurement."""

    seconds: int
    rounds: int
    many_rounds: int
    """Rounds of throughput, which varies most."""
    short_rounds: int
    """Rounds of tail latencies, which are short."""
    start_rounds: int
    """Rounds of starts: the fastest are close to each other, and the speed of the host varies."""
    warm_up_s: int
    """Warm-up for just-in-time compilers (Java, Node)."""
    is_quick: bool = False
    begin: float = field(default_factory=time.monotonic)

    def announce(self, what: str) -> None:
        """Print the next measurement on standard error."""
        print(f"[{time.monotonic() - self.begin:4.0f} s] {what}", file=sys.stderr, flush=True)


def quick() -> Budget:
    """Return a small budget, to test that everything works."""
    return Budget(
        seconds=1,
        rounds=1,
        many_rounds=1,
        short_rounds=2,
        start_rounds=1,
        warm_up_s=1,
        is_quick=True,
    )


def full() -> Budget:
    """Return the budget of published figures."""
    return Budget(seconds=3, rounds=3, many_rounds=5, short_rounds=41, start_rounds=11, warm_up_s=5)
