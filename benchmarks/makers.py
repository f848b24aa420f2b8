"""The generators to compare: ours and public ones, each in its own process."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadringer.contracts import is_valid, load_schema
from deadringer.contracts.rules import Context, validate_execution
from deadringer.fixtures import load_catalogue

from . import places
from .processes import SERVER_CORE, pinned

OURS = "deadringer"
BY_RULES = "Faker factory, by the rules"
"""For reference: a factory that follows the rules, limited to linear runs."""
VALIDATED = 1_000
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Maker:
    """One generator: how its script is run, and whether it is in public use."""

    name: str
    command: tuple[str, ...]
    is_in_use: bool = True

    def missing(self) -> str | None:
        """Return the reason why it cannot be run here."""
        lacking = [one for one in self.command if "/" in one and not Path(one).exists()]
        return f"{Path(lacking[0]).name} is not installed" if lacking else None


def makers() -> list[Maker]:
    """Return all generators, ours first."""

    def script(name: str) -> str:
        return str(places.SCRIPTS / name)

    python, modules = str(places.PEER_PYTHON), str(places.NODE_MODULES)
    return [
        Maker(OURS, (sys.executable, script("own_generator.py"))),
        Maker("json-schema-faker", ("node", script("json_schema_faker.mjs"), modules)),
        Maker("polyfactory", (python, script("polyfactory_models.py"))),
        Maker("hypothesis-jsonschema", (python, script("hypothesis_schema.py"))),
        Maker("Faker factory, straightforward", (python, script("faker_factory.py"))),
        Maker(BY_RULES, (python, script("careful_faker_factory.py")), is_in_use=False),
    ]


@dataclass(frozen=True)
class Made:
    """The result of one run of a generator."""

    per_second: float
    documents: tuple[Any, ...]


def make(maker: Maker, seconds: float, keep: int) -> Made:
    """Run a generator on one core.

    Raises:
        OSError: if it fails; the message is the last line of its output.
    """
    with tempfile.TemporaryDirectory() as name:
        schema, sample = Path(name, "execution.json"), Path(name, "sample.ndjson")
        schema.write_text(json.dumps(bundled_schema()))
        command = [*maker.command, str(schema), str(seconds), str(sample), str(keep)]
        try:
            ran = subprocess.run(
                pinned(command, SERVER_CORE),
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"timed out after {_TIMEOUT_S} s") from error
        if ran.returncode:
            raise OSError(ran.stderr.strip().rpartition("\n")[2][:200])
        result = json.loads(ran.stdout)
        with sample.open() as lines:
            return Made(result["count"] / result["seconds"], tuple(map(json.loads, lines)))


def bundled_schema() -> dict[str, Any]:
    """Return the execution schema in one document, for tools that read one."""
    text = json.dumps(load_schema("execution"))
    parts = {name: json.loads(json.dumps(load_schema(name))) for name in ("step", "column")}
    text = text.replace('"step.json"', '"#/$defs/step"').replace(
        '"column.json"', '"#/$defs/column"'
    )
    whole: dict[str, Any] = json.loads(text)
    for one in (whole, *parts.values()):
        one.pop("$id", None)
        one.pop("examples", None)
    return whole | {"$defs": parts}


@dataclass(frozen=True)
class Worth:
    """The shares of documents that pass."""

    validated: int
    schema: float
    rules: float
    without_warning: float


def worth(documents: Sequence[Any]) -> Worth:
    """Validate documents with the schema and every rule that reads one document."""
    context = Context(catalogue=frozenset(action["kind"] for action in load_catalogue()))
    validated = [validate_execution(document, context) for document in documents]
    count = len(documents)
    passing = sum(is_valid(document, "execution") for document in documents)
    errorless = sum(all(one.severity.value != "error" for one in found) for found in validated)
    return Worth(
        count, passing / count, errorless / count, sum(not found for found in validated) / count
    )
