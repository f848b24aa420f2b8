"""Named worlds: workflows, runs, live runs and faults on a timeline, one file each.

A scenario is data. Its state at a time is a function of seed, scenario, start and now.
"""

from .load import ScenarioError, load_scenario, nameable, ready_names, runs_by_name, scenario_from
from .model import Scenario
from .script import Script, ScriptedRun, planned

__all__ = [
    "Scenario",
    "ScenarioError",
    "Script",
    "ScriptedRun",
    "load_scenario",
    "nameable",
    "planned",
    "ready_names",
    "runs_by_name",
    "scenario_from",
]
