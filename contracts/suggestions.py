"""Suggest known names that are similar to an unknown one."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import islice

_COMPARED_CHARACTERS = 64
_COMPARED_NAMES = 200


def nearest_names(
    wanted: str, known: Iterable[str], *, most: int = 3, least_likeness: float = 0.0
) -> list[str]:
    """Return the known names most similar to the wanted one, the best first.

    `least_likeness` is from 0 (any name) to 1 (equal). Only the beginning of a long name and of a
    long list is compared, to limit the work.
    """
    matcher = SequenceMatcher(b=wanted[:_COMPARED_CHARACTERS], autojunk=False)

    def likeness(name: str) -> float:
        matcher.set_seq1(name[:_COMPARED_CHARACTERS])
        return matcher.ratio()

    rated = ((likeness(name), name) for name in islice(known, _COMPARED_NAMES))
    like = (pair for pair in rated if pair[0] >= least_likeness)
    return [name for _, name in nlargest(most, like, key=lambda pair: pair[0])]
