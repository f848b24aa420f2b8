"""The contract as one assertion, for tests of any suite: `assert_keeps_contract(response)`."""

from .asserting import assert_keeps_contract

__all__ = ["assert_keeps_contract"]
