"""Read YAML with the line and column of every value."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]

_MOST_PARTS = 200_000
"""A few lines of aliases to aliases can stand for billions of values."""
_TAG = "tag:yaml.org,2002:"
_KEYS = (f"{_TAG}str", f"{_TAG}merge")
_VALUES = [f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")]


class Mark(NamedTuple):
    """A place in a text, counted from 1."""

    line: int
    column: int


class Marked(NamedTuple):
    """A value and the place of each of its parts."""

    value: Any
    marks: dict[Path, Mark]

    def place(self, path: Path) -> Mark:
        """Return the place of a part, or of its nearest parent if it is missing."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))


class YamlProblemError(Exception):
    """A text is not valid YAML or not valid JSON data: `mark` is where, `problem` is what."""

    def __init__(self, mark: Mark, problem: str) -> None:
        super().__init__(problem)
        self.mark = mark
        self.problem = problem


class _Loader(yaml.SafeLoader):
    """Loads timestamps as strings, which the schema expects."""

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return the number; raise YamlProblemError if it is not finite."""
        number = float(super().construct_yaml_float(node))
        if not math.isfinite(number):
            raise YamlProblemError(_mark(node.start_mark), f"{node.value!r} is not finite")
        return number


_Loader.add_constructor(f"{_TAG}float", _Loader.construct_yaml_float)

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_marked(text: str) -> Marked:
    """Return the value of a YAML (or JSON) text with its marks.

    Raises:
        YamlProblemError: if it is not YAML, or not JSON data: a duplicate member, a key that is
            not a string, a number that is not finite.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as problem:
        raise YamlProblemError(*_unreadable(text, problem)) from problem
    try:
        node = loader.get_single_node()
        if node is None:
            return Marked(None, {})
        marks = _marks_of(node)
        return Marked(loader.construct_document(node), marks)
    except yaml.MarkedYAMLError as problem:
        raise YamlProblemError(_mark(problem.problem_mark), str(problem.problem)) from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise YamlProblemError(Mark(1, 1), str(problem)) from problem
    finally:
        loader.dispose()


def _marks_of(node: Any) -> dict[Path, Mark]:
    marks: dict[Path, Mark] = {}
    for path, mark in _marks(node, (), []):
        marks[path] = mark
        if len(marks) > _MOST_PARTS:
            raise YamlProblemError(
                mark, f"it has more than {_MOST_PARTS:,} values once aliases are replaced"
            )
    return marks


def _marks(node: Any, path: Path, above: list[Any]) -> Iterator[tuple[Path, Mark]]:
    if any(node is one for one in above):
        raise YamlProblemError(_mark(node.start_mark), "an alias refers to its own parent")
    yield path, _mark(node.start_mark)
    if node.tag not in _VALUES:
        kind = node.tag.removeprefix(_TAG)
        raise YamlProblemError(_mark(node.start_mark), f"a {kind} cannot be written as JSON")
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag not in _KEYS:
                fix = "quote it" if isinstance(key, yaml.ScalarNode) else "use one"
                raise YamlProblemError(_mark(key.start_mark), f"a key is not a string; {fix}")
            if key.value in seen:
                raise YamlProblemError(_mark(key.start_mark), f"{key.value!r} is used twice")
            seen.add(key.value)
            yield from _marks(value, (*path, key.value), [*above, node])
            yield (*path, key.value), _mark(key.start_mark)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _marks(value, (*path, place), [*above, node])


def _unreadable(text: str, problem: yaml.reader.ReaderError) -> tuple[Mark, str]:
    before = text[: problem.position]
    mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    return mark, f"the character U+{ord(text[problem.position]):04X} is not allowed in YAML"


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
