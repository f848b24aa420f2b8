"""A scenario's document, with an accessor for each part."""

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
"""Defaults for the members that a scenario's workflow may omit."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named world; `document` is its validated file. Offsets are seconds from its start."""

    name: str
    document: JsonObject
    key: str = field(init=False)
    """A hash of name and document: equal scenarios have equal keys."""

    def __post_init__(self) -> None:
        """Compute the key."""
        text = json.dumps([self.name, self.document], sort_keys=True)
        object.__setattr__(self, "key", hashlib.sha256(text.encode()).hexdigest())

    @property
    def summary(self) -> str:
        """The description, one line."""
        return str(self.document["summary"])

    @property
    def chaos(self) -> str | None:
        """The name of the mix of faults it begins with, if any."""
        chaos: str | None = self.document.get("chaos")
        return chaos

    @property
    def world(self) -> JsonObject:
        """The settings of the generated history around its runs."""
        world: JsonObject = self.document.get("world", {})
        return world

    @property
    def executions(self) -> Sequence[JsonObject]:
        """The complete executions it contains."""
        return list(self.document.get("executions", ()))

    @property
    def defined_ids(self) -> set[str]:
        """The ids of the workflows it defines, which may redefine those of the world."""
        return {one["id"] for one in self.document.get("workflows", ())}

    def workflows(self, seed: int) -> list[JsonObject]:
        """Return its workflows: those it takes from the world, then its own."""
        selected = self.world.get("workflows")
        own = [{**_USUAL, **one} for one in self.document.get("workflows", ())]
        world = [
            one
            for one in world_workflows(seed)
            if one["id"] not in self.defined_ids and (selected is None or one["id"] in selected)
        ]
        return [*world, *own]

    def faults(self, since: str) -> list[JsonObject]:
        """Return its transport faults with ids; `since` is when the scenario began."""
        return [
            {**fault, "id": f"{self.name}-{number}", "since": since}
            for number, fault in enumerate(self.document.get("faults", ()), 1)
        ]

    def contract_faults(self, passed_s: float) -> tuple[str, ...]:
        """Return the contract faults in force `passed_s` seconds after its start."""
        return tuple(
            one["name"]
            for one in self.document.get("contract_faults", ())
            if one.get("from_s", passed_s) <= passed_s < one.get("until_s", passed_s + 1)
        )

    def run_entries(self) -> list[dict[str, Any]]:
        """Return the run entries as they are in the document."""
        return list(self.document.get("runs", ()))
