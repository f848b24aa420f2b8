"""The page of public Python names, from their docstrings."""

import ast
import inspect
import re
from importlib import import_module
from typing import Any

from .markdown import table

FRONT_DOORS = (
    "deadringer.contracts",
    "deadringer.contracts.testing",
    "deadringer.contracts.documents",
    "deadringer.contracts.rules",
    "deadringer.contracts.check",
    "deadringer.contracts.coverage",
    "deadringer.fixtures",
    "deadringer.fixtures.strategies",
    "deadringer.fixtures.output",
    "deadringer.mockserver",
)
"""Modules whose `__all__` is public; `deadringer.mockserver.testing.client` adds `ExecutionApi`."""
CLIENT = ("deadringer.mockserver.testing.client", "ExecutionApi")


def python_page() -> str:
    """Return the public names of every front door, with signature and docstring."""
    parts = [
        "# Python API",
        (
            "What can be imported. Everything in the `__all__` of these modules is public; other "
            "modules may change in any release."
        ),
    ]
    for door in FRONT_DOORS:
        module = import_module(door)
        parts += [f"## {door}", _docstring(inspect.getdoc(module) or "")]
        parts += [_public(module, name) for name in module.__all__]
    parts += [f"## {CLIENT[0]}", _public(import_module(CLIENT[0]), CLIENT[1])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _public(module: Any, name: str) -> str:
    value = getattr(module, name)
    head = f"### {module.__name__.removeprefix('deadringer.')}.{name}"
    value = inspect.unwrap(value) if callable(value) else value
    is_own = str(getattr(value, "__module__", "")).startswith("deadringer")
    if not is_own or not (inspect.isclass(value) or inspect.isfunction(value)):
        return "\n\n".join(part for part in (head, _constant(module, name)) if part)
    try:
        node = ast.parse(inspect.cleandoc("\n" + inspect.getsource(value))).body[0]
    except (OSError, TypeError):
        return f"{head}\n\n{_docstring(inspect.getdoc(value) or '')}"
    if isinstance(node, ast.FunctionDef):
        text = ast.get_docstring(node) or ""
        return f"{head}\n\n```python\n{_signature(node)}\n```\n\n{_docstring(text)}"
    if not isinstance(node, ast.ClassDef):
        return head
    code = [
        f"class {name}" + (f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else "")
    ]
    code += [
        f"    {ast.unparse(one)}"
        for one in node.body
        if isinstance(one, ast.AnnAssign) and not ast.unparse(one.target).startswith("_")
    ]
    methods = [
        one
        for one in node.body
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
    ]
    rows = ((f"`{_signature(one)}`", (ast.get_docstring(one) or "").partition("\n\n")[0])
            for one in methods)  # fmt: skip
    parts = [head, "```python\n" + "\n".join(code) + "\n```"]
    parts.append(_docstring(ast.get_docstring(node) or ""))
    if methods:
        parts.append(table(("Method", "Effect"), rows))
    return "\n\n".join(part for part in parts if part)


def _signature(node: ast.FunctionDef) -> str:
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returned}".replace("self, ", "").replace(
        "(self)", "()"
    )


def _constant(module: Any, name: str) -> str:
    """Return the documentation of a value: the string below its assignment."""
    home = _home(module, name)
    source = inspect.getsource(home)
    body = ast.parse(source).body
    for place, node in enumerate(body):
        targets = [
            *getattr(node, "targets", ()),
            getattr(node, "target", None),
            getattr(node, "name", None),
        ]
        if name not in {one.id for one in targets if isinstance(one, ast.Name)}:
            continue
        is_plain = isinstance(getattr(node, "value", None), ast.Constant | ast.BinOp | ast.Name)
        kind = f"{name}: {type(getattr(module, name)).__name__}"
        code = f"```python\n{ast.get_source_segment(source, node) if is_plain else kind}\n```"
        following = body[place + 1] if place + 1 < len(body) else None
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            return f"{code}\n\n{_docstring(str(following.value.value))}"
        return code
    return ""


def _home(module: Any, name: str) -> Any:
    """Return the module that defines a name, following the imports of it."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and name in {one.name for one in node.names}:
            relative = "." * node.level + (node.module or "")
            package = module.__package__ if node.level else None
            return _home(import_module(relative, package), name)
    return module


def _docstring(text: str) -> str:
    """Return a docstring as Markdown: its `Raises:` as a list, its other indented text as code."""
    cleaned = inspect.cleandoc(text)
    return re.sub(
        r"^Raises:\n((?: {4}.*\n?)+)",
        lambda found: "Raises:\n\n" + _raised(inspect.cleandoc("\n" + found[1])),
        cleaned,
        flags=re.MULTILINE,
    )


def _raised(text: str) -> str:
    lines = re.sub(r"\n +", " ", text).splitlines()
    return "\n".join(
        re.sub(r"^(\w[\w.]*):", lambda found: f"- `{found[1]}`:", line) for line in lines
    )
