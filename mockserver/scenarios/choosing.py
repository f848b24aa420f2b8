"""Which scenarios a session may name, and how their runs are called."""

from functools import cache

from contracts import JsonObject

from .model import Scenario
from .reading import load_scenario, ready_names


def nameable(current: Scenario | None, seed: int) -> dict[str, Scenario]:
    """Give the ready scenarios and the one a session is in, by name."""
    ready = {name: _ready(name, seed) for name in ready_names()}
    return {**ready, current.name: current} if current else ready


def runs_by_name(scenario: Scenario) -> dict[str, JsonObject]:
    """Give what a scenario writes of each of its runs, under `run_id`, or its place from 1."""
    entries = scenario.run_entries()
    return {str(one.get("run_id", place)): one for place, one in enumerate(entries, 1)}


@cache
def _ready(name: str, seed: int) -> Scenario:
    return load_scenario(name, seed)
