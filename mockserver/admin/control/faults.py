"""Transport faults of a session, single ones and chaos profiles."""

import uuid
from collections.abc import Iterator

from deadringer.contracts import Json, JsonObject, format_timestamp
from deadringer.mockserver.api.faults import faults_in_force
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.faults.transport import CHAOS, KINDS, SCOPE, chaos_faults
from deadringer.mockserver.faults.validation import problems_of_fault, readable_fault
from deadringer.mockserver.schema_errors import Problem
from deadringer.mockserver.world.reserved_ids import RESERVED_WORKFLOWS

from .context import ControlContext, require_known
from .sessions import get_state


def list_faults(control: ControlContext) -> JsonObject:
    """Return the session's transport faults and the available kinds."""
    kinds = [
        {"kind": one.name, "description": one.description, "parameters": dict(one.parameters)}
        for one in KINDS.values()
    ]
    faults = list(control.session.faults.values())
    in_force = [
        {**fault, "origin": origin}
        for origin, fault in faults_in_force(control.service, control.session)
    ]
    return {"faults": faults, "in_force": in_force, "kinds": kinds, "scope": list(SCOPE)}


def add_fault(control: ControlContext) -> tuple[JsonObject, int]:
    """Add a fault; its `from_s` and `until_s` count from now."""
    fault = {"id": f"fault_{uuid.uuid4().hex[:12]}", **control.body}
    if fault.keys() & {"from_s", "until_s"}:
        fault["since"] = format_timestamp(control.snapshot.now)
    control.change("fault", fault)
    return fault, 201


def problems_of_added(
    control: ControlContext, body: Json, problems: list[Problem]
) -> Iterator[Problem]:
    """Yield every reason why a fault could never apply, beside the problems of the schema."""
    served = {*control.snapshot.repository.workflows, *RESERVED_WORKFLOWS}
    workflows = served if control.traffic is None else None  # a proxy does not know them all
    return problems_of_fault(readable_fault(body, problems), workflows)


def remove_faults(control: ControlContext) -> JsonObject:
    """Remove the session's own faults, but not those of its scenario and of chaos."""
    control.change("fault_removed", {"id": None})
    return list_faults(control)


def remove_fault(control: ControlContext, fault_id: str) -> JsonObject:
    """Remove one fault."""
    for origin, fault in faults_in_force(control.service, control.session):
        if fault["id"] == fault_id and origin != "session":
            raise ApiError(
                "CONFLICT",
                f"The fault is part of the {origin} and cannot be removed alone",
                f"Send DELETE /__mock/{origin}",
            )
    require_known(fault_id, control.session.faults, "fault")
    control.change("fault_removed", {"id": fault_id})
    return list_faults(control)


def get_chaos(control: ControlContext) -> JsonObject:
    """Return the chaos profiles, and the active one."""
    profiles = [
        {"name": name, "description": CHAOS[name][0], "faults": chaos_faults(name)}
        for name in CHAOS
    ]
    return {"profile": control.service.chaos(control.session) or None, "profiles": profiles}


def set_chaos(control: ControlContext) -> JsonObject:
    """Turn on a chaos profile."""
    control.change("chaos", {"value": control.body["profile"]})
    return get_state(control)


def unset_chaos(control: ControlContext) -> JsonObject:
    """Turn the chaos profile off."""
    control.change("chaos", {"value": ""})
    return get_state(control)
