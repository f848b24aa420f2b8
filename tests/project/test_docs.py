"""The documentation is complete, reachable and current, and its commands work as shown."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from deadringer.contracts.check.reports import FORMATS
from deadringer.contracts.rules import RULES
from deadringer.mockserver.cli import SUBCOMMANDS, main
from deadringer.mockserver.cli.serve import serve
from deadringer.mockserver.cli.settings import settings_of
from deadringer.mockserver.control_spec import control_specification
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS
from docs import generate
from docs.pages.python_api import FRONT_DOORS
from tests.project import ROOT
from tests.project.console import Command, Terminal, documented_commands, documented_files

DOCS = ROOT / "docs"
QUICKSTARTS = sorted((DOCS / "quickstart").glob("*.md"))
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
LINKING = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("*/README.md")),
    *sorted(ROOT.glob("fixtures/recorded/README.md")),
    *(DOCS / page for page in PAGES),
]


def read(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


# Commands


@pytest.mark.slow
@pytest.mark.parametrize("page", QUICKSTARTS, ids=lambda page: page.stem)
def test_the_commands_of_a_quickstart_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    commands = list(documented_commands(text))
    for name, content in documented_files(text).items():
        (tmp_path / name).write_text(content, "utf-8")
    terminal = Terminal(tmp_path)

    try:
        differences = [terminal.difference(command) for command in commands]
    finally:
        terminal.close()

    assert len(commands) >= 3
    assert [text for text in differences if text] == []


def curl_lines(page: str) -> list[str]:
    """Return the requests that a page shows, each changed to print only the status."""
    blocks = re.findall(r"```sh\n(.*?)```", read(page), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    curl = "curl -s -o /dev/null -w '%{http_code}' "
    return [line.replace("curl ", curl, 1) for line in lines if line.startswith("curl ")]


def started_run(port: str) -> str:
    """Start a run that advances by request, and return its id."""
    address = f"http://127.0.0.1:{port}/__mock/workflows/wf_abc123/runs"
    response = httpx.post(address, json={"drive": "manual"})
    return str(response.raise_for_status().json()["run_id"])


@pytest.mark.slow
def test_the_requests_of_the_guides_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [line for page in PAGES if page.startswith("guides/") for line in curl_lines(page)]
    terminal = Terminal(tmp_path)

    try:
        terminal.difference(Command("deadringer serve", "…"))
        monkeypatch.setenv("RUN_ID", started_run(terminal.port))
        # A verification of what was never requested is a 409.
        wanted = [Command(line, "409" if "/verify" in line else "20…") for line in requests]
        differences = [terminal.difference(command) for command in wanted]
    finally:
        terminal.close()

    assert len(requests) >= 15
    assert [text for text in differences if text] == []


def test_commands_are_shown_as_commands_where_they_are_run_and_nowhere_else() -> None:
    """Other pages use `sh` blocks, so that untested commands do not look tested."""
    run = {page.relative_to(DOCS).as_posix() for page in QUICKSTARTS}

    assert [page for page in PAGES if page not in run and "```console" in read(page)] == []


# Links


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the fragment of every link that stays in the repository."""
    text = without_code(path.read_text("utf-8"))
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    for link in found:
        if not re.match(r"[a-z]+:", link):
            file, _, fragment = link.partition("#")
            yield file, fragment


def anchors(path: Path) -> set[str]:
    """Return the fragments of a page, as the site and GitHub spell them."""
    names: set[str] = set()
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\s-]", "", re.sub(r"\]\([^)]*\)", "", title)).strip().lower()
        names.add(re.sub(r"[-\s]+", "-", plain))
    return names


@pytest.mark.parametrize("path", LINKING, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead(path: Path) -> None:
    dead = []
    for file, fragment in links(path):
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (fragment and fragment not in anchors(target)):
            dead.append(f"{file}#{fragment}")

    assert dead == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n[one](gone.md), [two](#a-page), [three](#gone), `[no](x.md)`\n")

    assert list(links(page)) == [("gone.md", ""), ("", "a-page"), ("", "gone")]
    assert anchors(page) == {"a-page"}


# Reach


def test_the_navigation_reaches_every_page() -> None:
    assert sorted(generate.navigation()) == PAGES


def test_llms_txt_has_a_line_for_every_page() -> None:
    lines = re.findall(r"^- \[.+\]\((.+)\): .{10,}\.$", read("llms.txt"), re.MULTILINE)

    assert lines == generate.navigation()


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_generated_page_is_current(page: str) -> None:
    """If this fails, run `.venv/bin/python -m docs.generate`."""
    assert read(page) == generate.PAGES[page]()


# Completeness


def options() -> set[str]:
    """Return every option of every command."""
    context = main.make_context("deadringer", [], resilient_parsing=True)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    return {
        name for command in commands if command for one in command.params for name in one.opts
        if name.startswith("--")
    }  # fmt: skip


def operations() -> set[str]:
    """Return every operation of the control API."""
    methods = {"get", "put", "post", "patch", "delete"}
    return {
        one["operationId"]
        for item in control_specification()["paths"].values()
        for method, one in item.items()
        if method in methods
    }


SETTINGS = settings_of(serve)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference/cli.md", {f"deadringer {name}" for name in SUBCOMMANDS} | options()),
        ("reference/settings.md", {f"--{one.written}" for one in SETTINGS}),
        ("reference/settings.md", {one.variable for one in SETTINGS}),
        ("reference/exit-codes.md", set(SUBCOMMANDS)),
        ("reference/reports.md", set(FORMATS)),
        ("reference/rules.md", {rule.name for rule in RULES} | {rule.id for rule in RULES}),
        ("reference/contract-faults.md", {fault.name for fault in CONTRACT_FAULTS}),
        ("reference/transport-faults.md", {*KINDS, *NAMED_FAULTS, *CHAOS}),
        ("reference/transport-faults.md", {x for one in KINDS.values() for x in one.parameters}),
        ("reference/control-api.md", operations()),
    ],
)  # fmt: skip
def test_nothing_is_missing_on_its_page(page: str, names: set[str]) -> None:
    text = read(page)

    assert names
    assert {
        name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
    } == set()


@pytest.mark.parametrize("door", FRONT_DOORS)
def test_every_public_name_is_documented(door: str) -> None:
    module = import_module(door)
    text = read("reference/python.md")
    short = door.removeprefix("deadringer.")

    assert [name for name in module.__all__ if f"### {short}.{name}\n" not in text] == []


def test_every_front_door_of_a_package_is_public() -> None:
    packages = {f"deadringer.{name}" for name in ("contracts", "fixtures", "mockserver")}

    assert packages <= set(FRONT_DOORS)


# The site


class Resources(HTMLParser):
    """Collects the addresses that a browser loads with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record what a tag loads."""
        values = dict(attrs)
        is_link = tag == "link" and values.get("rel") not in {"canonical", "next", "prev"}
        address = values.get("href") if is_link else values.get("src")
        if address:
            self.loaded.append(address)


@pytest.mark.slow
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    site = tmp_path / "build" / "docs"
    shutil.copytree(DOCS, tmp_path / "docs")
    for name in ("mkdocs.yml", "ARCHITECTURE.md", "DECISIONS.md"):
        shutil.copy(ROOT / name, tmp_path)
    command = [Path(sys.executable).parent / "zensical", "build", "--clean", "--strict"]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.relative_to(site).with_suffix(".md").as_posix() for path in site.rglob("*.html")}
    assert built - {"404.md"} == set(PAGES)
    assert (site / "llms.txt").is_file()
    assert not list(site.rglob("*.py"))
    assert "next three requests" in (site / "search.json").read_text("utf-8")
    for path in site.rglob("*.html"):
        resources = Resources()
        resources.feed(path.read_text("utf-8"))
        assert [one for one in resources.loaded if re.match(r"(https?:)?//", one)] == [], path
