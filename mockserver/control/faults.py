"""Transport faults of a session, one by one and as ready mixes."""

from contracts import JsonObject
from mockserver.transport_faults import CHAOS, KINDS, SCOPE

from .fault_bodies import read_fault
from .sessions import get_state
from .steering import Steering, read_object, refused, require_known


def list_faults(steering: Steering) -> JsonObject:
    """Give the session's transport faults and the kinds there are."""
    kinds = [
        {"kind": one.name, "description": one.description, "parameters": dict(one.parameters)}
        for one in KINDS.values()
    ]
    faults = list(steering.session.faults.values())
    return {"faults": faults, "kinds": kinds, "scope": list(SCOPE)}


def add_fault(steering: Steering) -> tuple[JsonObject, int]:
    """Add a fault."""
    fault = read_fault(read_object())
    steering.change("fault", fault)
    return fault, 201


def remove_faults(steering: Steering) -> JsonObject:
    """Take away all faults."""
    steering.change("fault_removed", {"id": None})
    return list_faults(steering)


def remove_fault(steering: Steering, fault_id: str) -> JsonObject:
    """Take away one fault."""
    require_known(fault_id, steering.session.faults, "fault")
    steering.change("fault_removed", {"id": fault_id})
    return list_faults(steering)


def set_chaos(steering: Steering) -> JsonObject:
    """Turn on a mix of faults."""
    profile = read_object().get("profile")
    if profile not in CHAOS:
        raise refused("profile", "is unknown", f"Use one of {', '.join(CHAOS)}")
    steering.change("chaos", {"value": profile})
    return get_state(steering)


def unset_chaos(steering: Steering) -> JsonObject:
    """Turn it off."""
    steering.change("chaos", {"value": ""})
    return get_state(steering)
