"""Whether a server can use a state: it is readable, and belongs to the same world."""

import json

from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.state.events import EventLog, StateUnreachableError

from .scenarios import Scenario


def unusable_state(settings: Settings, events: EventLog, problem: Exception) -> StartError:
    """Close a log that cannot be used, and return the error that the start ends with."""
    events.close()
    state = settings.state
    if isinstance(problem, StateUnreachableError):
        return StartError(f"State {state}: {problem}. Start Redis, or correct --state.")
    if events.is_shared:
        return StartError(
            f"State {state}: {problem}. Serve it with the version of deadringer that wrote "
            "it, or use another name after #."
        )
    return StartError(
        f"State file {state}: {problem}. Serve it with the version of "
        "deadringer that wrote it, or delete it to start over."
    )


def require_same_world(settings: Settings, events: EventLog, scenario: Scenario | None) -> None:
    """Close the log and raise StartError if other servers of the state show another world."""
    world = {
        "seed": settings.seed,
        "runs-per-workflow": settings.runs_per_workflow,
        "empty": settings.empty,
        "speed": settings.speed,
        "freeze": settings.freeze,
        "scenario": scenario.key if scenario else None,
    }
    try:
        agreed = json.loads(events.agreed_world(json.dumps(world)))
    except StateUnreachableError as problem:
        raise unusable_state(settings, events, problem) from problem
    different = [f"--{name}" for name in world if world[name] != agreed.get(name)]
    if different:
        events.close()
        listed = " and another ".join(different)
        raise StartError(
            f"Other servers of {settings.state} have another {listed}. "
            "Start all of them with the same, or use another name after #."
        )
