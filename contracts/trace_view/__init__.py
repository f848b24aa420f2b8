"""The trace view of one execution: style and script for pages and reports.

A page needs an element with the attribute `data-trace`, and a JSON island for it (see `island`). A
server serves the files of `ASSETS` unchanged; a single-file report uses the bundles.
"""

import json
import math
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Violation

ASSETS = Path(__file__).parent / "assets"
STYLES = ("design.css", "trace.css")
SCRIPTS = (
    "format.js",
    "exact.js",
    "elements.js",
    "renewing.js",
    "json_tree.js",
    "steps.js",
    "copying.js",
    "saving.js",
    "details.js",
    "waterfall.js",
    "trace.js",
)
"""The modules, each after its imports."""

_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)

__all__ = [
    "ASSETS",
    "SCRIPTS",
    "STYLES",
    "bundled_script",
    "bundled_style",
    "island",
    "json_text",
    "violations_json",
]


def island(document: JsonObject) -> str:
    """Return the text of a JSON island, escaped so that it cannot end the element around it.

    `document` contains `execution`, and optionally `workflow` (its definition), `violations` (see
    `Violation`; pointers into the execution) and other members that trace.js documents.
    """
    text = json_text(document)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def json_text(document: JsonObject) -> str:
    """Return a document as JSON in ASCII, valid for every parser.

    A number too large for a float (`1e999`) is parsed as infinity, which JSON cannot represent, so
    it is written as text.
    """
    try:
        return _dumped(document)
    except ValueError:
        return _dumped(_finite(document))


def _dumped(document: Json) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _finite(value: Json) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value


def violations_json(violations: Iterable[Violation]) -> list[JsonObject]:
    """Return the violations of an execution in the form of the island."""
    return [
        {
            "pointer": one.pointer,
            "rule": one.rule,
            "severity": one.severity.value,
            "expected": one.expected,
            "got": one.got,
            "fix": one.fix,
        }
        for one in violations
    ]


@cache
def bundled_style() -> str:
    """Return all styles as one sheet."""
    return "\n".join((ASSETS / name).read_text("utf-8") for name in STYLES)


@cache
def bundled_script() -> str:
    """Return all modules as one, for a `<script type="module">` in a single-file page."""
    modules = ((ASSETS / name).read_text("utf-8") for name in SCRIPTS)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in modules)
