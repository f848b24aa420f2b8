"""How much time to spend, and where the run stands."""

import sys
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Effort:
    """Rounds of so many seconds for each measurement."""

    seconds: int
    rounds: int
    many_rounds: int
    """For what varies most: throughput."""
    short_rounds: int
    """For tails, whose rounds are short."""
    start_rounds: int
    """For starts: the fastest are close to each other, and the host is faster at some times."""
    warm_up_s: int
    """Compilers that learn while they run (Java, Node) need some."""
    is_quick: bool = False
    begin: float = field(default_factory=time.monotonic)

    def tell(self, what: str) -> None:
        """Say on standard error what comes now."""
        print(f"[{time.monotonic() - self.begin:4.0f} s] {what}", file=sys.stderr, flush=True)


def quick() -> Effort:
    """Return enough to see that everything works."""
    return Effort(
        seconds=1,
        rounds=1,
        many_rounds=1,
        short_rounds=2,
        start_rounds=1,
        warm_up_s=1,
        is_quick=True,
    )


def full() -> Effort:
    """Return what published figures are measured with."""
    return Effort(seconds=3, rounds=3, many_rounds=5, short_rounds=41, start_rounds=11, warm_up_s=5)
