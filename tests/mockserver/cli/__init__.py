"""`deadringer generate`, `deadringer examples`, and what stands behind them."""

import subprocess
import sys

from click.testing import CliRunner

from deadringer.mockserver.cli import main

Done = subprocess.CompletedProcess[bytes]


def deadringer(*arguments: object, stdin: bytes = b"") -> Done:
    """Run a command in this process; return its exit code and the bytes it wrote."""
    given_as_text = [*map(str, arguments)]
    result = CliRunner().invoke(
        main, given_as_text, input=stdin, prog_name="deadringer", catch_exceptions=False
    )
    return Done(given_as_text, result.exit_code, result.stdout_bytes, result.stderr_bytes)


def deadringer_process(*arguments: object, stdin: bytes = b"") -> Done:
    """Run a command in a process of its own, with pipes instead of files and a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "deadringer", *map(str, arguments)],
        input=stdin,
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
