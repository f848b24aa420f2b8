"""A workflow's definition as a graph: actions by id, edges, and the actions inside loops."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from deadringer.contracts.json_types import Json, JsonObject

from .json_values import elements, members, text
from .model import Context

SOURCE = "$source"


@dataclass(frozen=True)
class Graph:
    """The graph of a definition; malformed parts are left out."""

    definition: JsonObject

    @cached_property
    def actions(self) -> dict[str, JsonObject]:
        """Return the actions by id."""
        listed = (members(one) for one in elements(self.definition.get("actions")))
        return {str(one["id"]): one for one in listed if text(one.get("id"))}

    @cached_property
    def edges(self) -> list[tuple[str, str, str | None]]:
        """Return (from, to, type of the condition or None) of every edge."""
        return list(self._edges())

    def _edges(self) -> Iterator[tuple[str, str, str | None]]:
        for edge in map(members, elements(self.definition.get("edges"))):
            start, end = text(edge.get("from")), text(edge.get("to"))
            if start is not None and end is not None:
                yield start, end, text(members(edge.get("conditional")).get("type"))

    @cached_property
    def inside_loops(self) -> frozenset[str]:
        """Return the ids of the actions that run once for each item of a loop."""
        inside: set[str] = set()
        for loop in {start for start, _, kind in self.edges if kind == "loop"}:
            body = self.reachable(self.targets(loop, "loop"), without=loop)
            after = self.reachable(self.targets(loop, "completed"), without=loop)
            inside |= body - after
        return frozenset(inside)

    def targets(self, action_id: str, kind: str) -> list[str]:
        """Return the targets of an action's edges of one type."""
        return [end for start, end, one in self.edges if start == action_id and one == kind]

    def reachable(self, starts: Iterable[str], *, without: str) -> set[str]:
        """Return every action that can be reached from `starts`, including these."""
        found: set[str] = set()
        waiting = list(starts)
        while waiting:
            action_id = waiting.pop()
            if action_id not in found and action_id != without:
                found.add(action_id)
                waiting += [end for start, end, _ in self.edges if start == action_id]
        return found


def graph_of(context: Context) -> Graph | None:
    """Return the graph of the context's definition, or None if it is not known."""
    definition: Json = context.definition
    return Graph(definition) if isinstance(definition, dict) else None
