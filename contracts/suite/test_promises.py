"""Every promise of the contract, as one check of the server found it."""

import pytest

from deadringer.contracts.check import CheckOptions, Promise, Result, promise_lines
from deadringer.contracts.violations import Severity


def test_promise(promise: Promise, options: CheckOptions, tell_later: dict[str, str]) -> None:
    """Pass if the promise was kept, fail if it was broken, skip if nothing could break it."""
    if promise.result is Result.NOT_EXERCISED:
        pytest.skip(promise.reason)
    fails_on_warning = options.fail_on is Severity.WARNING
    if promise.result is Result.BROKEN or (promise.result is Result.WARNED and fails_on_warning):
        pytest.fail("\n".join(promise_lines(promise, verbose=True)), pytrace=False)
    if promise.result is Result.WARNED:
        tell_later[promise.rule] = "\n".join(promise_lines(promise))
