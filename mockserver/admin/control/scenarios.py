"""Scenarios of a session: list them, get the current one, start another."""

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.scenarios import (
    Scenario,
    ScenarioError,
    load_scenario,
    ready_names,
    scenario_from,
)

from .context import ControlContext, refusal_of, refused
from .sessions import get_state


def list_scenarios(control: ControlContext) -> JsonObject:
    """Return the bundled scenarios, and the session's current one."""
    seed, current = control.service.settings.seed, control.session.scenario
    listed = [load_scenario(name, seed) for name in ready_names()]
    return {
        "scenario": current.name if current else None,
        "scenarios": [{"name": one.name, "summary": one.summary} for one in listed],
    }


def get_scenario(control: ControlContext) -> JsonObject:
    """Return the session's scenario, and how long ago it began (s)."""
    snapshot = control.snapshot
    scenario = snapshot.session.scenario
    if scenario is None:
        raise ApiError("NOT_FOUND", "The session has no scenario", 'PUT {"name": "quiet-day"}')
    passed_s = (snapshot.now_ms - snapshot.session.began_ms) / 1000
    return {"name": scenario.name, "passed_s": passed_s, "document": scenario.document}


def set_scenario(control: ControlContext) -> JsonObject:
    """Start a scenario now: changes of the session are dropped, its clock continues."""
    body, seed = control.body, control.service.settings.seed
    if body.keys().isdisjoint({"name", "document"}):
        raise refused("body", "names no scenario", 'Send {"name": …} or {"document": …}')
    if "document" in body and body.get("name") in ready_names():
        problem = f"{body['name']!r} is the name of a bundled scenario"
        raise refused("name", problem, "Send either name or document, or another name")
    try:
        if "document" in body:
            served = [*control.service.executions.workflow_ids()]
            chosen = scenario_from(body["document"], body.get("name", "unnamed"), seed, served)
        else:
            chosen = _ready(body["name"], seed)
    except ScenarioError as problem:
        fix = "Compare the document with the schema Scenario in /__mock/openapi.json"
        raise refusal_of(problem.lines, fix) from problem
    _begin(control, {"name": chosen.name, "document": chosen.document})
    return get_state(control)


def unset_scenario(control: ControlContext) -> JsonObject:
    """Return to the scenario of the start, which begins now, or to none."""
    _begin(control, {})
    return get_state(control)


def _ready(name: str, seed: int) -> Scenario:
    if name not in ready_names():  # a request may not name files of this machine
        raise refused("name", "is unknown", f"Use one of {', '.join(ready_names())}")
    return load_scenario(name, seed)


def _begin(control: ControlContext, scenario: JsonObject) -> None:
    session = control.session
    clocks = {
        "clock": session.clock.as_json() if session.clock else None,
        "started": session.start.since.isoformat() if session.start else None,
    }
    control.change("scenario", {**scenario, **clocks, "began": control.snapshot.now.isoformat()})
