"""Named, realistic bugs that each violate one rule of the contract: `serve --break NAME`.

They show frontend developers how a page handles a faulty backend, and `make mutation` proves that
the check finds every one of them.
"""

from collections.abc import Iterable

from deadringer.contracts import nearest_names
from deadringer.fixtures.edits import EDITS

from .access import ACCESS_FAULTS
from .apply import apply_fault
from .lists import LIST_FAULTS
from .model import ContractFault, MutableResponse, Traffic, fault_of

__all__ = [
    "CONTRACT_FAULTS",
    "ContractFault",
    "MutableResponse",
    "Traffic",
    "UnknownFaultError",
    "apply_fault",
    "faults_named",
]

CONTRACT_FAULTS: tuple[ContractFault, ...] = (
    *map(fault_of, EDITS),
    *ACCESS_FAULTS,
    *LIST_FAULTS,
)
"""Every contract fault."""


class UnknownFaultError(LookupError):
    """There is no contract fault of that name; the message lists similar ones."""


def faults_named(names: Iterable[str]) -> tuple[ContractFault, ...]:
    """Return contract faults by name, in the order of the names.

    Raises:
        UnknownFaultError: if there is no fault of a name.
    """
    known = {fault.name: fault for fault in CONTRACT_FAULTS}
    found = []
    for name in names:
        if name not in known:
            near = nearest_names(name, known, least_likeness=0.6) or sorted(known)[:5]
            raise UnknownFaultError(
                f"there is no contract fault {name!r}. Near: {', '.join(near)}. "
                "The page /__mock/ui/control of `deadringer serve` lists all of them."
            )
        found.append(known[name])
    return tuple(found)
