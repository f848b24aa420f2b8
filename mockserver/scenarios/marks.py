"""Reads YAML so that every value still knows the line and column it was written at."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a text, counted from 1."""

    line: int
    column: int


class Marked(NamedTuple):
    """A value and where each of its parts stands."""

    value: Any
    marks: dict[Path, Mark]

    def place(self, path: Path) -> Mark:
        """Give where a part stands; of one that is missing, where its parent does."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))


class YamlProblemError(Exception):
    """A text is not YAML, or says something twice: `mark` and what is wrong."""

    def __init__(self, mark: Mark, problem: str) -> None:
        super().__init__(problem)
        self.mark = mark
        self.problem = problem


class _Loader(yaml.SafeLoader):
    """Leaves times as the texts they are: the schema asks for texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_marked(text: str) -> Marked:
    """Give the value of a YAML (or JSON) text with its marks.

    Raises:
        YamlProblemError: if it is not YAML, or a mapping holds a member twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Marked(None, {})
        marks = dict(_marks(node, (), []))
        return Marked(loader.construct_document(node), marks)
    except yaml.MarkedYAMLError as problem:
        raise YamlProblemError(_mark(problem.problem_mark), str(problem.problem)) from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise YamlProblemError(Mark(1, 1), str(problem)) from problem
    finally:
        loader.dispose()


def _marks(node: Any, path: Path, above: list[Any]) -> Iterator[tuple[Path, Mark]]:
    if any(node is one for one in above):
        raise YamlProblemError(_mark(node.start_mark), "an alias stands inside what it names")
    yield path, _mark(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise YamlProblemError(_mark(key.start_mark), f"{key.value!r} stands here twice")
            seen.add(key.value)
            yield from _marks(value, (*path, key.value), [*above, node])
            yield (*path, key.value), _mark(key.start_mark)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _marks(value, (*path, place), [*above, node])


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
