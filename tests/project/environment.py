"""A fresh virtual environment, and functions that run programs in it."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.project import ROOT


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment at `folder`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Environment":
        """Create an empty environment, without pip."""
        venv.create(folder)
        return cls(folder)

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.folder / ("Scripts" if sys.platform == "win32" else "bin") / name)

    def install(self, *what: str | Path) -> None:
        """Install packages, in the versions of `constraints.txt` where it names them."""
        constraints = ("--constraint", ROOT / "constraints.txt")
        self._pip("install", "--no-compile", *constraints, *what)

    def uninstall(self, name: str) -> None:
        """Uninstall one package."""
        self._pip("uninstall", "--yes", name)

    def run(
        self, program: str, *options: str, cwd: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its programs in a folder and return what it printed and its exit code."""
        return subprocess.run(
            [self.program(program), *options],
            cwd=cwd,
            env=_surroundings(variables),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def python(self, code: str, *, cwd: Path) -> str:
        """Run code and return what it prints; fail if it fails."""
        done = self.run("python", "-c", code, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self, *options: str, cwd: Path) -> Iterator[tuple[str, str]]:
        """Serve the mock on a free port within the context; yield its URL and demo key."""
        with subprocess.Popen(
            [self.program("deadringer"), "serve", "--port", "0", *options],
            cwd=cwd,
            env=_surroundings({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None
                banner = "".join(iter(server.stdout.readline, "Stop with Ctrl-C.\n"))
                url = banner.split("serves on ")[1].split()[0]
                yield url, banner.split("Demo key: ")[1].split()[0]
            finally:
                server.terminate()

    def _pip(self, command: str, *options: str | Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.program("python"))
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, command, *quiet, *options], check=True, timeout=300, cwd=self.folder)


def _surroundings(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables of a child process: those of this one except Python's, and these.

    Without `PYTHONDONTWRITEBYTECODE`, what is installed is compiled once, on its first use.
    """
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return inherited | variables
