"""Named, realistic bugs that each violate one rule of the contract: `serve --break NAME`.

For frontend developers, who see how a page survives a bad backend, and for the check, which must
find every one of them (`make mutation`).
"""

from collections.abc import Iterable

from deadringer.contracts import nearest_names

from .access import ACCESS_FAULTS
from .apply import apply_fault
from .documents import DOCUMENT_FAULTS
from .lists import FAMILY_FAULTS
from .model import Answer, ContractFault, Traffic
from .traces import TRACE_FAULTS

__all__ = [
    "CONTRACT_FAULTS",
    "Answer",
    "ContractFault",
    "Traffic",
    "UnknownFaultError",
    "apply_fault",
    "faults_named",
]

CONTRACT_FAULTS: tuple[ContractFault, ...] = (
    *DOCUMENT_FAULTS,
    *TRACE_FAULTS,
    *ACCESS_FAULTS,
    *FAMILY_FAULTS,
)
"""Every contract fault."""


class UnknownFaultError(LookupError):
    """There is no contract fault of that name; the message names near ones."""


def faults_named(names: Iterable[str]) -> tuple[ContractFault, ...]:
    """Return contract faults by name, in the order asked for.

    Raises:
        UnknownFaultError: if there is none of a name.
    """
    known = {fault.name: fault for fault in CONTRACT_FAULTS}
    found = []
    for name in names:
        if name not in known:
            near = nearest_names(name, known, least_likeness=0.6) or sorted(known)[:5]
            raise UnknownFaultError(
                f"there is no contract fault {name!r}. Near: {', '.join(near)}. "
                "All of them: docs/reference/contract-faults.md."
            )
        found.append(known[name])
    return tuple(found)
