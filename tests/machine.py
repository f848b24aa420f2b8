"""What tests need of the machine: where it lacks, they are skipped with a word, but fail in CI."""

import os
import ssl
from typing import NoReturn

import pytest

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of servers here, which speak none: reading the machine's certificates takes 30 ms."""


def is_required() -> bool:
    """Tell whether what is missing is a failure: it is where CI says it is CI."""
    return bool(os.environ.get("CI"))


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything is there."""
    if is_required():
        pytest.fail(f"{reason}. CI must have it: see .ci/run.", pytrace=False)
    pytest.skip(reason)
