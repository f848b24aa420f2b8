"""One name, one class: a search for a name finds what it stands for."""

import ast
from collections import defaultdict

from tests.project import ROOT
from tests.project.imports import ROOMS

TWICE = {
    "Settings",  # public in both rooms: of the rules, and of the mock
}


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(path.relative_to(ROOT)))

    assert {name: one for name, one in places.items() if len(one) > 1 and name not in TWICE} == {}
