"""How much of each thing a check looks at."""

from dataclasses import dataclass

NARROW_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Effort:
    """The sizes of a check's phases; `watch_s` in seconds, all others are counts."""

    workflows: int
    pages_walked: int
    runs: int
    list_pages: int
    polls: int
    watch_s: float
    foreign: int
    odd_ids: int
    bad_pages: int
    variables: int
    again: int
    more_runs: int
    generated: int


USUAL = Effort(
    workflows=8,
    pages_walked=4,
    runs=40,
    list_pages=10,
    polls=25,
    watch_s=86_400,
    foreign=40,
    odd_ids=8,
    bad_pages=6,
    variables=4,
    again=16,
    more_runs=30,
    generated=120,
)
NARROW = Effort(
    workflows=4,
    pages_walked=3,
    runs=14,
    list_pages=4,
    polls=6,
    watch_s=86_400,
    foreign=8,
    odd_ids=5,
    bad_pages=4,
    variables=2,
    again=6,
    more_runs=10,
    generated=60,
)
"""For servers that allow no more than a few hundred requests a minute: fits 100 of them."""

QUICK = Effort(
    workflows=2,
    pages_walked=2,
    runs=8,
    list_pages=2,
    polls=3,
    watch_s=1.5,
    foreign=4,
    odd_ids=3,
    bad_pages=3,
    variables=1,
    again=4,
    more_runs=0,
    generated=0,
)


def effort_for(*, quick: bool, limit: int | None) -> Effort:
    """Choose by what was asked for and what the server allows in a window."""
    if quick:
        return QUICK
    return NARROW if limit is not None and limit <= NARROW_LIMIT else USUAL
