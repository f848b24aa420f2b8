"""Contract faults of a session: list them, turn them on and off.

Those of a scenario follow its timeline, whatever is chosen here.
"""

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError

from .context import ControlContext, require_known
from .sessions import get_state


def list_contract_faults(control: ControlContext) -> JsonObject:
    """Return every contract fault, and whether it is on."""
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS

    active = control.service.contract_faults(control.session, control.snapshot.now)
    listed = [
        {
            "name": one.name,
            "story": one.story,
            "group": one.group,
            "rule": one.rule,
            "severity": one.severity,
            "needs_writes": one.needs_writes,
            "is_on": one.name in active,
        }
        for one in CONTRACT_FAULTS
    ]
    return {"contract_faults": listed}


def enable_contract_fault(control: ControlContext, name: str) -> JsonObject:
    """Turn on a contract fault."""
    from deadringer.mockserver.faults.contract import (  # not needed by every start
        UnknownFaultError,
        faults_named,
    )

    try:
        faults_named([name])
    except UnknownFaultError as problem:
        raise ApiError("NOT_FOUND", str(problem)) from problem
    chosen = [one for one in _chosen(control) if one != name]
    control.change("contract_faults", {"value": [*chosen, name]})
    return get_state(control)


def disable_contract_fault(control: ControlContext, name: str) -> JsonObject:
    """Turn off a contract fault."""
    chosen = _chosen(control)
    require_known(name, chosen, "active contract fault")
    control.change("contract_faults", {"value": [one for one in chosen if one != name]})
    return get_state(control)


def disable_contract_faults(control: ControlContext) -> JsonObject:
    """Turn off all contract faults."""
    control.change("contract_faults", {"value": []})
    return get_state(control)


def _chosen(control: ControlContext) -> tuple[str, ...]:
    return control.service.chosen_faults(control.session)
