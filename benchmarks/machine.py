"""The machine and the versions of a measurement."""

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from . import places

LOAD_BEFORE = os.getloadavg()[0]
"""The load of the machine at the start of this program."""
BUSY = 0.5


def facts() -> list[tuple[str, str]]:
    """Return processor, cores, kernel and versions, as name and text."""
    found_facts = [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", _processor()),
        ("cores", str(os.cpu_count())),
        ("load before", f"{LOAD_BEFORE:.2f}"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("deadringer", version("deadringer") + _commit()),
    ]
    found_facts += [(name, version(name)) for name in ("uvicorn", "uvloop", "httptools", "flask")]
    found_facts += [(name, found) for name, *command in _TOOLS if (found := _version_of(command))]
    return found_facts + peer_versions()


_TOOLS: tuple[tuple[str, ...], ...] = (
    ("wrk", "wrk", "-v"),
    ("nginx", "nginx", "-v"),
    ("node", "node", "--version"),
    ("java", "java", "-version"),
)


def peer_versions() -> list[tuple[str, str]]:
    """Return (name, version) of the installed peers."""
    found = []
    for line in (places.SCRIPTS / "npm.txt").read_text().split():
        name = line.rpartition("@")[0]
        manifest = places.NODE_MODULES / name / "package.json"
        if manifest.exists():
            found.append((name, str(json.loads(manifest.read_text())["version"])))
    if places.PEER_PYTHON.exists():
        wanted = ("connexion", "polyfactory", "hypothesis-jsonschema", "Faker")
        frozen = (places.SCRIPTS / "python.txt").read_text().split()
        found += [tuple(line.split("==")) for line in frozen if line.split("==")[0] in wanted]
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"model name\s*: (.+)", text)
    return found[1] if found else platform.processor()


def _commit() -> str:
    command = ["git", "-C", str(places.HERE), "describe", "--always", "--dirty"]
    output = _version_of(command)
    return f" ({output})" if output else ""


def _version_of(command: Sequence[str]) -> str:
    if not shutil.which(command[0]):
        return ""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    first = (ran.stdout + ran.stderr).strip().partition("\n")[0]
    found = re.search(r"v?(\d+\.\d[\w.+-]*)", first)
    return found[1] if found else first
