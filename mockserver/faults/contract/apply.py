"""Apply one contract fault to a response."""

import copy
from dataclasses import fields

from .model import ContractFault, MutableResponse, Traffic


def apply_fault(fault: ContractFault, traffic: Traffic, response: MutableResponse) -> bool:
    """Apply a fault to a response and return whether that changed it.

    A fault that cannot be applied after earlier faults leaves the response unchanged.
    """
    before = copy.deepcopy(response)
    try:
        fault.change(traffic, response)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        for one in fields(MutableResponse):
            setattr(response, one.name, getattr(before, one.name))
        return False
    return response != before
