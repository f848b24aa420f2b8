"""README's commands do what README shows."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.project import ROOT

DOCUMENTED_PORT = "4010"
LINKED = ("Makefile", "pyproject.toml", "constraints.txt", ".venv", "fixtures", "openapi.yaml")
NEVER_RUN = {"make test"}  # it is running


@dataclass(frozen=True)
class Command:
    """A line that begins with `$ ` in a console block, and the lines below it."""

    line: str
    expected: str

    @property
    def keeps_running(self) -> bool:
        return self.line == "make serve" or " serve " in self.line


def documented_commands(text: str) -> Iterator[Command]:
    """Yield the commands of every console block; `…` in what they print stands for anything."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = part.partition("\n")
            yield Command(line, expected.rstrip("\n"))


COMMANDS = list(documented_commands((ROOT / "README.md").read_text("utf-8")))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a clone whose setup is done: nothing is written to the real one."""
    folder = tmp_path_factory.mktemp("clone")
    for name in (
        "Makefile",
        "pyproject.toml",
        "constraints.txt",
        ".venv",
        "fixtures",
        "openapi.yaml",
    ):
        (folder / name).symlink_to(ROOT / name)
    if not (ROOT / ".venv/.ready").exists():
        pytest.skip("the commands need the environment `make` sets up")
    return folder


@pytest.fixture(scope="module")
def served(clone: Path) -> Iterator[str]:
    """The port of a mock started by `make serve`, as README says."""
    port = str(free_port())
    process, first_line = start("make serve", clone, DEADRINGER_PORT=port)
    assert first_line == f"Deadringer serves on http://127.0.0.1:{port}"
    yield port
    stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(line: str, folder: Path, **variables: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        first_line = process.stdout.readline().rstrip("\n")
        if first_line.startswith("Deadringer"):
            return process, first_line
        if process.poll() is not None:
            break
    stop(process)
    pytest.fail(f"{line} did not start")


def stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=20)


def matches(expected: str, printed: str) -> bool:
    """Whether a text is what README shows, where `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def test_readme_documents_commands() -> None:
    assert {"make serve", "make test"} <= {command.line for command in COMMANDS}
    assert len(COMMANDS) >= 8


def disagreement(command: Command, clone: Path, served: str) -> str:
    """Run one command; give what it printed in place of what README shows, empty if that."""
    expected = command.expected.replace(f":{DOCUMENTED_PORT}", f":{served}")
    if command.line == "make serve":
        printed = f"Deadringer serves on http://127.0.0.1:{served}"
        expected = expected.splitlines()[0]
    elif command.keeps_running:
        process, printed = start(command.line, clone)
        stop(process)
        expected = expected.splitlines()[0]
    else:
        line = command.line.replace(f":{DOCUMENTED_PORT}", f":{served}")
        done = subprocess.run(
            ["bash", "-c", line], cwd=clone, capture_output=True, text=True, timeout=120, check=True
        )
        printed = done.stdout
    return "" if matches(expected, printed) else f"$ {command.line}\n{printed}"


@pytest.mark.slow
def test_the_documented_commands_in_order_print_what_readme_shows(clone: Path, served: str) -> None:
    """In order, because a command may need the one before it; `served` did run `make serve`."""
    told = [disagreement(one, clone, served) for one in COMMANDS if one.line not in NEVER_RUN]

    assert [text for text in told if text] == []


def test_a_wrong_expectation_is_seen() -> None:
    assert matches('{"a": …}', '{"a": 1}')
    assert not matches('{"a": …}', '{"b": 1}')


def test_every_make_target_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`", (ROOT / "README.md").read_text("utf-8")))

    assert named
    assert {target for target in named if f"\n{target}:" not in makefile} == set()


def test_every_file_readme_links_to_exists() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_bash_and_curl_are_there() -> None:
    assert shutil.which("bash")
    assert shutil.which("curl")
