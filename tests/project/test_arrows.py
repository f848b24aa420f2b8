"""Imports point one way: between the top packages, and between the packages inside them.

Every import counts, whether it is at the top of a module, inside a function, or for
type checkers only. ARCHITECTURE.md has the picture.
"""

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.project.imports import PACKAGE, ROOMS, imports_in, imports_of, module_files

ROOM_ARROWS = {
    "contracts": set(),
    "fixtures": {"contracts"},
    "mockserver": {"contracts", "fixtures"},
}
FRONT_DOORS = {
    "contracts",
    "contracts.check",
    "contracts.content_codings",
    "contracts.coverage",
    "contracts.documents",
    "contracts.input_files",
    "contracts.redaction",
    "contracts.rules",
    "contracts.testing",
    "contracts.trace_view",
    "contracts.traffic",
    "fixtures",
    "fixtures.edits",
    "fixtures.exports",
    "fixtures.output",
    "fixtures.sanitize",
    "fixtures.strategies",
}
MOCKSERVER = (
    "testing",
    "cli",
    "proxy",
    "app",
    "admin",
    "api",
    "context",
    "world",
    "config",
    "faults",
    "state",
    "server",
    "control_spec",
    "schema_errors",
    "logging",
    "errors",
    "exceptions",
)
"""From top to bottom: each may import those below it."""
CHECK = (
    "runner",
    "phases",
    "fuzz",
    "session",
    "traffic",
    "reports",
    "baseline",
    "recorder",
    "report",
    "http",
    "options",
    "access",
    "interruption",
    "atomic_files",
)
"""From top to bottom: each may import those below it."""

FILES = module_files()
IMPORTS = {name: imports_of(name, FILES) & FILES.keys() - {name} for name in FILES}


def room_of(name: str) -> str:
    return name.split(".")[1]


def package_in(name: str, parent: str) -> str:
    """Return the package or module right below a parent; "" for the parent itself."""
    return name.removeprefix(parent).removeprefix(".").partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    wrong = [
        f"{name} imports {other}"
        for name in FILES
        if room_of(name) == room
        for other in IMPORTS[name]
        if room_of(other) not in ROOM_ARROWS[room] | {room}
    ]

    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_enters_others_by_the_front_door(room: str) -> None:
    wrong = [
        f"{name} imports {other}"
        for name in FILES
        if room_of(name) == room
        for other in IMPORTS[name]
        if room_of(other) != room and other.removeprefix(f"{PACKAGE}.") not in FRONT_DOORS
    ]

    assert wrong == []


def upward(parent: str, order: tuple[str, ...]) -> list[str]:
    """Return the imports inside a package that do not point down its order."""
    rank = {name: number for number, name in enumerate(order)}
    inside = [name for name in FILES if name.startswith(f"{parent}.")]
    assert {package_in(name, parent) for name in inside} == rank.keys()
    return [
        f"{name} imports {other}"
        for name in inside
        for other in sorted(IMPORTS[name])
        if other.startswith(f"{parent}.")
        and rank[package_in(other, parent)] < rank[package_in(name, parent)]
    ]


def test_arrows_inside_the_mock_server_point_down() -> None:
    assert upward(f"{PACKAGE}.mockserver", MOCKSERVER) == []


def test_arrows_inside_the_check_point_down() -> None:
    assert upward(f"{PACKAGE}.contracts.check", CHECK) == []


def test_the_http_server_knows_nothing_of_the_mock() -> None:
    server = f"{PACKAGE}.mockserver.server"
    wrong = [
        f"{name} imports {other}"
        for name in FILES
        if name.startswith(server)
        for other in IMPORTS[name]
        if not other.startswith(server)
    ]

    assert wrong == []


def test_no_module_imports_itself_over_others() -> None:
    try:
        tuple(TopologicalSorter(IMPORTS).static_order())
    except CycleError as cycle:
        pytest.fail(" -> ".join(cycle.args[1]))


def test_flask_stays_in_the_mock_server() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in FILES.items()
        if room_of(name) != "mockserver"
        for other in imports_of(name, FILES)
        if other.partition(".")[0] in {"flask", "uvicorn", "werkzeug"}
    ]

    assert wrong == []


def test_an_import_is_seen_wherever_it_stands() -> None:
    text = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from .. import state\n"
        "def late():\n    from deadringer.mockserver import create_app\n    import flask.json\n"
    )

    assert list(imports_in(text, "deadringer.mockserver.api"))[1:] == [
        "deadringer.mockserver.state",
        "deadringer.mockserver.create_app",
        "flask.json",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_a_readme_and_a_front_door(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()
    assert "__all__" in Path(ROOT / room / "__init__.py").read_text("utf-8")
