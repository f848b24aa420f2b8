"""Install the peers into a folder that git ignores, with npm and pip, in pinned versions."""

import shutil
import subprocess
import sys
from collections.abc import Sequence

from . import places


def install_peers() -> list[str]:
    """Install missing peers and return the reasons for failed installations."""
    places.PEERS.mkdir(exist_ok=True)
    return [reason for reason in (_install_npm(), _install_python()) if reason]


def _install_npm() -> str | None:
    pinned = places.SCRIPTS / "npm.txt"
    folder = places.NODE_MODULES.parent
    if not shutil.which("npm"):
        return "npm is not installed: no peer of Node can be measured."
    if _is_done(folder, pinned):
        return None
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    return _ran(["npm", "install", *quiet, *pinned.read_text().split()], folder, pinned)


def _install_python() -> str | None:
    pinned = places.SCRIPTS / "python.txt"
    folder = places.PEER_PYTHON.parent.parent
    if _is_done(folder, pinned):
        return None
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    command = [str(places.PEER_PYTHON), "-m", "pip", "install", "--quiet", "-r", str(pinned)]
    return _ran([*command, "--disable-pip-version-check"], folder, pinned)


def _is_done(folder, pinned) -> bool:
    mark = folder / f"installed-{pinned.name}"
    return mark.exists() and mark.read_text() == pinned.read_text()


def _ran(command: Sequence[str], folder, pinned) -> str | None:
    ran = subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
    if ran.returncode:
        return f"{command[0]} could not install {pinned.name}: exit code {ran.returncode}."
    (folder / f"installed-{pinned.name}").write_text(pinned.read_text())
    return None
