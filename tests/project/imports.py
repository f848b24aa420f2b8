"""The imports of a module, read from its source, including lazy and type-only ones."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.project import ROOT

PACKAGE = "deadringer"
ROOMS = ("contracts", "fixtures", "mockserver")


def imports_in(text: str, package: str) -> Iterator[str]:
    """Yield the absolute name of everything a module imports; `a.b` for `from a import b`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{name}.{alias.name}" for alias in node.names)


def module_files() -> dict[str, Path]:
    """Return the file of every module of the project by name; a package's is `__init__.py`."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((PACKAGE, *parts))] = path
    return found


def imports_of(module: str, files: dict[str, Path]) -> set[str]:
    """Return the imports of one module: the project's modules by name, others as `imports_in`."""
    path = files[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return {_module_of(name, files) for name in imports_in(path.read_text("utf-8"), package)}


def _module_of(name: str, files: dict[str, Path]) -> str:
    """Return the module of an imported name; the name itself if it is not the project's."""
    home = name.rpartition(".")[0]
    return home if name not in files and home in files else name
