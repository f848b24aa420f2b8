"""Imports point one way: contracts <- fixtures <- mockserver."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import ROOT

ROOMS = {
    "contracts": set(),
    "fixtures": {"contracts"},
    "mockserver": {"contracts", "fixtures"},
}
FRONT_DOORS = {
    "contracts",
    "contracts.assertions",
    "contracts.check",
    "contracts.offline",
    "contracts.rules",
    "contracts.trace_view",
    "fixtures",
    "fixtures.exports",
    "fixtures.output",
    "fixtures.strategies",
}


def imports_of(path: Path, package: str) -> Iterator[str]:
    """Yield the absolute name of every module a file imports, conditional imports included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def modules(room: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        package = ".".join(path.parent.relative_to(ROOT).parts)
        yield path, package


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, package in modules(room)
        for name in imports_of(path, package)
        if (other := name.partition(".")[0]) in ROOMS and other not in ROOMS[room] | {room}
    ]

    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_enters_others_by_the_front_door(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, package in modules(room)
        for name in imports_of(path, package)
        if (other := name.partition(".")[0]) in ROOMS and other != room and name not in FRONT_DOORS
    ]

    assert wrong == []


def test_flask_stays_in_the_server_room() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for room in ("contracts", "fixtures")
        for path, package in modules(room)
        for name in imports_of(path, package)
        if name.partition(".")[0] in {"flask", "httptools", "werkzeug"}
    ]

    assert wrong == []


def test_a_wrong_arrow_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "wrong.py"
    module.write_text("def late():\n    from mockserver import create_app\n    import fixtures.x\n")

    assert list(imports_of(module, "contracts")) == ["mockserver", "fixtures.x"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_a_readme_and_a_front_door(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()
    assert "__all__" in (ROOT / room / "__init__.py").read_text("utf-8")
