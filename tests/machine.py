"""Requirements of tests: if one is missing, they are skipped with the reason, but fail in CI."""

import os
import ssl
from typing import NoReturn

import pytest

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of local servers without TLS: loading the machine's certificates takes 30 ms."""


def is_required() -> bool:
    """Return whether a missing requirement is a failure: whether the variable CI is set."""
    return bool(os.environ.get("CI"))


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI, where every requirement must hold."""
    if is_required():
        pytest.fail(f"{reason}. CI must have it: see .ci/run.", pytrace=False)
    pytest.skip(reason)
