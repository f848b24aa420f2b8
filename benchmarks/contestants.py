"""The servers to compare, and how each is started to serve the same response."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import places
from .body import KEY, ApiResponse
from .processes import SERVER_CORE, Running, free_port, started

Command = Callable[[Path, int], list[str]]

NGINX, ASGI = "nginx, constant body", "uvicorn, constant ASGI response"
FLASK = "minimal Flask, same server"
OURS, OURS_FULL = "deadringer, journal and count off", "deadringer, both on"
WIREMOCK, PRISM = "WireMock", "Prism"
PEERS = (PRISM, "Mockoon", "json-server", "openapi-backend", WIREMOCK, "connexion mock")


@dataclass(frozen=True)
class Contestant:
    """One server: its command for a folder of files and a port, and what it needs."""

    name: str
    command: Command
    needs: tuple[Path | str, ...] = ()

    def missing(self) -> str | None:
        """Return why it cannot run here, or None."""
        for need in self.needs:
            is_here = need.exists() if isinstance(need, Path) else shutil.which(need)
            if not is_here:
                return f"{need if isinstance(need, str) else need.name} is not installed"
        return None


@cache
def _own_options() -> str:
    shown = subprocess.run(
        [places.COMMAND, "serve", "--help"], capture_output=True, text=True, check=True
    )
    return shown.stdout


def own_command(port: int, *options: str) -> list[str]:
    """Return the command that starts the mock with the least logging."""
    known = _own_options()
    if "off" in known.partition("--log-format")[2].partition("--rate")[0]:
        options = (*options, "--log-format", "off")
    return [places.COMMAND, "serve", "--port", str(port), *options]


def _nginx(folder: Path, port: int) -> list[str]:
    settings = folder / "nginx-own.conf"
    settings.write_text((folder / "nginx.conf").read_text().replace("PORT", str(port)))
    return ["nginx", "-p", str(folder), "-c", str(settings), "-e", "stderr"]


def application(name: str) -> Command:
    def command(folder: Path, port: int) -> list[str]:
        body = str(folder / "html" / "body.json")
        return [sys.executable, "-m", "benchmarks.applications", name, body, str(port)]

    return command


def _ours(*options: str) -> Command:
    def command(folder: Path, port: int) -> list[str]:
        return own_command(port, "--fixtures", str(folder / "fixtures"), *options)

    return command


def _node(name: str, *arguments: str) -> Command:
    def command(folder: Path, port: int) -> list[str]:
        filled = [one.format(folder=folder, port=port) for one in arguments]
        return [str(places.NODE_MODULES / ".bin" / name), *filled]

    return command


def _backend(folder: Path, port: int) -> list[str]:
    script = str(places.SCRIPTS / "openapi_backend.js")
    return ["node", script, str(places.NODE_MODULES), str(folder / "openapi.json"), str(port)]


def _wiremock(folder: Path, port: int) -> list[str]:
    jar = next((places.NODE_MODULES / "wiremock" / "build").glob("*.jar"))
    quiet = ["--no-request-journal", "--disable-banner", "--disable-gzip"]
    root = ["--root-dir", str(folder / "wiremock")]
    return ["java", "-jar", str(jar), "--port", str(port), *root, *quiet]


def _connexion(folder: Path, port: int) -> list[str]:
    script = str(places.SCRIPTS / "connexion_mock.py")
    return [str(places.PEER_PYTHON), script, str(folder / "keyless.json"), str(port)]


def contestants() -> list[Contestant]:
    """Return all servers, the references first."""
    modules = places.NODE_MODULES
    prism = ("mock", "-v", "silent", "-p", "{port}", "{folder}/openapi.json")
    mockoon = ("start", "--data", "{folder}/mockoon.json", "--port", "{port}")
    mockoon += ("--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "0")
    server = ("--quiet", "--port", "{port}", "--routes", "{folder}/routes.json", "{folder}/db.json")
    return [
        Contestant(NGINX, _nginx, ("nginx",)),
        Contestant(ASGI, application("asgi")),
        Contestant(FLASK, application("flask")),
        Contestant(OURS, _ours("--no-control", "--rate-limit", "off")),
        Contestant(OURS_FULL, _ours()),
        Contestant(PRISM, _node("prism", *prism), ("node", modules / ".bin" / "prism")),
        Contestant(
            "Mockoon", _node("mockoon-cli", *mockoon), ("node", modules / ".bin" / "mockoon-cli")
        ),
        Contestant(
            "json-server", _node("json-server", *server), ("node", modules / ".bin" / "json-server")
        ),
        Contestant("openapi-backend", _backend, ("node", modules / "openapi-backend")),
        Contestant(WIREMOCK, _wiremock, ("java", modules / "wiremock")),
        Contestant("connexion mock", _connexion, (places.PEER_PYTHON,)),
    ]


def alone(
    one: Contestant, folder: Path, response: ApiResponse, cores: str = SERVER_CORE
) -> AbstractContextManager[Running]:
    """Run one server until the block ends, and check its response."""
    port = free_port()
    return started(
        one.command(folder, port),
        response.path,
        port=port,
        expected=response.document,
        headers={"x-api-key": KEY},
        cores=cores,
    )
