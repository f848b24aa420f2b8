"""What a scenario says, as the rest of the server asks for it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deadringer.contracts import JsonObject
from deadringer.fixtures import world_workflows

_USUAL = {
    "description": None,
    "enabled": True,
    "status": "PUBLISHED",
    "social_saved_search_id": None,
    "created": "2026-01-01T00:00:00.000Z",
    "updated": "2026-01-01T00:00:00.000Z",
}
"""What a workflow of a scenario need not say."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named world; `document` is its file, judged. Offsets are seconds from its start."""

    name: str
    document: JsonObject
    key: str = field(init=False)
    """The same for the same document."""

    def __post_init__(self) -> None:
        """Make the key."""
        text = json.dumps([self.name, self.document], sort_keys=True)
        object.__setattr__(self, "key", hashlib.sha256(text.encode()).hexdigest())

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        return str(self.document["summary"])

    @property
    def chaos(self) -> str | None:
        """The mix of faults it begins with."""
        chaos: str | None = self.document.get("chaos")
        return chaos

    @property
    def world(self) -> JsonObject:
        """What it says of the history around it."""
        world: JsonObject = self.document.get("world", {})
        return world

    @property
    def executions(self) -> Sequence[JsonObject]:
        """The complete executions it brings."""
        return list(self.document.get("executions", ()))

    @property
    def defined_ids(self) -> set[str]:
        """The ids of the workflows it defines, some of which may be of the world."""
        return {one["id"] for one in self.document.get("workflows", ())}

    def workflows(self, seed: int) -> list[JsonObject]:
        """Return its workflows: those of the world it keeps, then its own."""
        kept = self.world.get("workflows")
        own = [{**_USUAL, **one} for one in self.document.get("workflows", ())]
        world = [
            one
            for one in world_workflows(seed)
            if one["id"] not in self.defined_ids and (kept is None or one["id"] in kept)
        ]
        return [*world, *own]

    def faults(self, since: str) -> list[JsonObject]:
        """Return its transport faults, with ids; since is when it began."""
        return [
            {**fault, "id": f"{self.name}-{number}", "since": since}
            for number, fault in enumerate(self.document.get("faults", ()), 1)
        ]

    def contract_faults(self, passed_s: float) -> tuple[str, ...]:
        """Return the contract faults in force so many seconds after its start."""
        return tuple(
            one["name"]
            for one in self.document.get("contract_faults", ())
            if one.get("from_s", passed_s) <= passed_s < one.get("until_s", passed_s + 1)
        )

    def run_entries(self) -> list[dict[str, Any]]:
        """Return the runs it lists, as they are written."""
        return list(self.document.get("runs", ()))
