"""What of a scenario's document passes its schema, so that the rest of it can be judged at once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from contracts import Json, JsonObject
from mockserver.fault_judging import readable_fault
from mockserver.schema_problems import Path, Problem

from .model import Scenario

LISTS = ("workflows", "runs", "executions", "faults", "contract_faults")


@dataclass(frozen=True, slots=True)
class Readable:
    """The good parts; `doubtful` are ids of workflows of which nothing else can be said.

    `is_sure` tells whether every workflow there shall be is known by its id.
    """

    scenario: Scenario
    places: dict[str, list[int]]
    doubtful: frozenset[str]
    is_sure: bool

    def entries(self, member: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give the good entries of a list, each after its place in the document."""
        yield from zip(
            self.places.get(member, ()), self.scenario.document.get(member, ()), strict=True
        )


def readable_part(document: Json, problems: Collection[Problem]) -> Readable:
    """Give what is left of a document without what its schema has problems with."""
    paths = [one.path for one in problems]
    if not isinstance(document, dict):
        return Readable(Scenario("", {}), {}, frozenset(), is_sure=False)
    good = {name: value for name, value in document.items() if (name,) not in paths}
    places = {}
    for member in LISTS:
        if member in good:
            left = _entries(
                good[member], [one for one in problems if one.path[0] == member], member
            )
            places[member], good[member] = [*left], [*left.values()]
    if "world" in good:
        good["world"] = _world(good["world"], [path[1:] for path in paths if path[0] == "world"])
    left_out = _left_out(document, places)
    ids = [one.get("id") if isinstance(one, dict) else None for one in left_out]
    is_sure = all(isinstance(one, str) for one in ids) and not any(
        path in {("world",), ("workflows",)} or path[:2] == ("world", "workflows") for path in paths
    )
    doubtful = frozenset(one for one in ids if isinstance(one, str))
    return Readable(Scenario("", good), places, doubtful, is_sure=is_sure)


def _entries(
    written: list[Json], problems: Collection[Problem], member: str
) -> dict[int, JsonObject]:
    """Give the entries that can be judged, by their places; of faults, what can be of each."""
    left = {}
    for place, entry in enumerate(written):
        own = [one._replace(path=one.path[2:]) for one in problems if one.path[1] == place]
        if own and member == "faults":
            entry = readable_fault(entry, own)
            own = []
        if isinstance(entry, dict) and entry and not own:
            left[place] = entry
    return left


def _world(written: JsonObject, bad: list[Path]) -> JsonObject:
    """Give the good members; of a list of workflows that is one, the texts stay at their places."""
    good = {name: value for name, value in written.items() if (name,) not in bad}
    if "workflows" in good:
        good["workflows"] = [one if isinstance(one, str) else None for one in good["workflows"]]
    return good


def _left_out(document: JsonObject, places: dict[str, list[int]]) -> list[Any]:
    """Give the workflows that do not pass."""
    if "workflows" not in places:
        return []
    return [one for at, one in enumerate(document["workflows"]) if at not in places["workflows"]]
