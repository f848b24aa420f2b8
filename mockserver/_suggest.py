"""Names the known identifiers nearest to one that was not found."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import islice

NAMED = 3
_COMPARED_CHARACTERS = 64
_COMPARED_IDS = 200


def nearest_ids(asked: str, known: Iterable[str]) -> list[str]:
    """Give up to three known ids, the most alike first.

    The work is bounded: only the beginning of a long id and of a long list is compared.
    """
    matcher = SequenceMatcher(b=asked[:_COMPARED_CHARACTERS], autojunk=False)

    def likeness(candidate: str) -> float:
        matcher.set_seq1(candidate[:_COMPARED_CHARACTERS])
        return matcher.ratio()

    return nlargest(NAMED, islice(known, _COMPARED_IDS), key=likeness)
