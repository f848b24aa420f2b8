"""`deadringer generate`, `deadringer examples`, and what stands behind them."""

import subprocess
import sys


def deadringer(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "deadringer", *map(str, arguments)],
        input=given,
        capture_output=True,
        timeout=180,
        check=False,
    )


def generated(*arguments: object) -> bytes:
    done = deadringer("generate", *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def refusal(*arguments: object) -> str:
    """The message of a refused command, on one line."""
    done = deadringer("generate", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    return " ".join(done.stderr.decode().split())
