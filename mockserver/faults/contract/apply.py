"""Puts one contract fault into a response."""

import copy
from dataclasses import fields

from .model import Answer, ContractFault, Traffic


def apply_fault(fault: ContractFault, traffic: Traffic, response: Answer) -> bool:
    """Put a fault into a response and return whether that changed it.

    Where an earlier fault has left no place for it, it does nothing.
    """
    before = copy.deepcopy(response)
    try:
        fault.change(traffic, response)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        for one in fields(Answer):
            setattr(response, one.name, getattr(before, one.name))
        return False
    return response != before
