"""Contract faults of a session: promises broken on purpose, and kept again.

Those of a scenario come and go with its timeline, whatever is chosen here.
"""

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError

from .context import Steering, require_known
from .sessions import get_state


def list_contract_faults(steering: Steering) -> JsonObject:
    """Give every contract fault, and whether it is on."""
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS

    broken = steering.service.contract_faults(steering.session, steering.snapshot.now)
    listed = [
        {
            "name": one.name,
            "story": one.story,
            "breaks": one.breaks,
            "rule": one.rule,
            "severity": one.severity,
            "needs_writes": one.needs_writes,
            "is_on": one.name in broken,
        }
        for one in CONTRACT_FAULTS
    ]
    return {"contract_faults": listed}


def break_promise(steering: Steering, name: str) -> JsonObject:
    """Turn on a contract fault."""
    from deadringer.mockserver.faults.contract import (  # few are broken
        UnknownFaultError,
        faults_named,
    )

    try:
        faults_named([name])
    except UnknownFaultError as problem:
        raise ApiError("NOT_FOUND", str(problem)) from problem
    broken = [one for one in _chosen(steering) if one != name]
    steering.change("contract_faults", {"value": [*broken, name]})
    return get_state(steering)


def keep_promise(steering: Steering, name: str) -> JsonObject:
    """Turn off a contract fault."""
    broken = _chosen(steering)
    require_known(name, broken, "active contract fault")
    steering.change("contract_faults", {"value": [one for one in broken if one != name]})
    return get_state(steering)


def keep_promises(steering: Steering) -> JsonObject:
    """Turn off all of them."""
    steering.change("contract_faults", {"value": []})
    return get_state(steering)


def _chosen(steering: Steering) -> tuple[str, ...]:
    return steering.service.chosen_faults(steering.session)
