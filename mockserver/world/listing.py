"""The order of a workflow's runs: a few that are held in memory among very many that are not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from deadringer.contracts import JsonObject
from deadringer.fixtures import Window


class Held(NamedTuple):
    """A run in memory: its id is known, and when it started (ms since 1970); it is made later."""

    run_id: str
    started_at: int
    execution: Callable[[], JsonObject]


Place: TypeAlias = Held | int
"""A run in the list: one in memory, or the number of one of the world."""

_Part: TypeAlias = Held | Window


class Listing:
    """Runs, newest first: those held and the world's window but its gaps, in one order.

    A page costs by the number of runs held and gaps, whatever the size of the window. `newest_at`
    gives the number of the world's newest run at a time.
    """

    def __init__(
        self,
        held: Sequence[Held],
        window: Window,
        gaps: Iterable[int],
        newest_at: Callable[[int], int],
    ) -> None:
        self._parts = list(_parts(held, window, sorted(gaps, reverse=True), newest_at))
        self.count = sum(1 if isinstance(part, Held) else part.count for part in self._parts)

    def page(self, offset: int, size: int) -> Iterator[Place]:
        """Yield the runs from a place on."""
        left = size
        for part in self._parts:
            count = 1 if isinstance(part, Held) else part.count
            if offset >= count:
                offset -= count
                continue
            if left <= 0:
                return
            if isinstance(part, Held):
                yield part
                left -= 1
            else:
                newest = part.newest - offset
                oldest = max(part.oldest, newest - left + 1)
                yield from range(newest, oldest - 1, -1)
                left -= newest - oldest + 1
            offset = 0


def _parts(
    held: Sequence[Held], window: Window, gaps: Sequence[int], newest_at: Callable[[int], int]
) -> Iterator[_Part]:
    newest = window.newest
    cuts: list[tuple[int, Held | None]] = [(gap, None) for gap in gaps]
    # A run in memory stands above the world's newest run of its moment.
    cuts += [(newest_at(one.started_at), one) for one in held]
    cuts.sort(key=lambda cut: (-cut[0], cut[1] is None, -(cut[1].started_at if cut[1] else 0)))
    for number, one in cuts:
        stop = number + 1
        if newest >= stop and window.oldest <= newest:
            yield Window(max(stop, window.oldest), newest)
            newest = stop - 1
        if one is not None:
            yield one
        elif newest >= number:
            newest = number - 1
    if newest >= window.oldest:
        yield Window(window.oldest, newest)
