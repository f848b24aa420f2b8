"""Named worlds: workflows, runs, live runs and faults on a timeline, each one file.

A scenario is data; what it looks like at a time is a function of seed, scenario, start and now.
"""

from .model import Scenario
from .reading import ScenarioError, load_scenario, ready_names, scenario_from
from .script import Script

__all__ = [
    "Scenario",
    "ScenarioError",
    "Script",
    "load_scenario",
    "ready_names",
    "scenario_from",
]
