"""Benchmarks of validating: documents a second on one core and on all, memory, schema alone."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from . import places
from .budget import Budget
from .processes import SERVER_CORE, pinned, watched
from .samples import interleaved
from .serving import Report
from .tables import Target, table

_COUNT = 100_000
_WANTED_PER_S = 5_000
_MOST_MB = 250
_SCHEMA_ALONE = """
import json, sys, time
from deadringer.contracts import validation
validator = validation.{validator}
is_valid = validator.is_valid
count, begin = 0, time.process_time()
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        is_valid(json.loads(line))
        count += 1
        if count == {most}:
            break
print(count / (time.process_time() - begin))
"""
_VALIDATORS = {
    "schema alone: jsonschema-rs": "_fast_validator('execution')",
    "schema alone: jsonschema": "_validator('execution', False)",
}
_OURS = "`deadringer validate`, one core"
_ALL_CORES = "`deadringer validate`, all cores"


def measure(budget: Budget) -> Report:
    """Measure everything."""
    report = Report()
    budget.announce("validating")
    try:
        with tempfile.TemporaryDirectory() as folder:
            _measure(report, budget, Path(folder, "runs.ndjson"))
    except (OSError, subprocess.SubprocessError) as error:
        report.sections.append(("Validating", f"Not measured: {error}"))
    return report


def _measure(report: Report, budget: Budget, path: Path) -> None:
    count = _COUNT // (5 if budget.is_quick else 1)
    _run([places.COMMAND, "generate", "-n", str(count), "--out", str(path)])
    memory: list[float] = []

    def run(*options: str) -> float:
        seconds, most_mb = watched([places.COMMAND, "validate", *options, str(path)])
        memory.append(most_mb)
        return seconds

    def on_one_core() -> float:
        before = _processor_s()
        run("--workers", "1")
        return count / (_processor_s() - before)

    measures: dict[str, Callable[[], float]] = {
        _OURS: on_one_core,
        _ALL_CORES: lambda: count / run(),
        **{name: lambda one=one: _schema_alone(one, path) for name, one in _VALIDATORS.items()},
    }
    samples = interleaved(measures, budget.rounds)
    about = (
        f"{count:,} generated executions of {path.stat().st_size / count / 1000:.1f} kB, read from "
        "a file. The command applies the schema and every rule, its start included; a schema alone "
        "is a loop that parses lines. For all cores a second is one of the clock, otherwise of "
        f"processor time. At most {max(memory):,.0f} MB, the sum of the command's processes' PSS."
    )
    rows = [(name, sample.shown()) for name, sample in samples.items()]
    heads = ("Validator", "documents/s, median (range)")
    report.sections.append(("Validating", f"{about}\n\n{table(heads, rows)}"))
    report.targets += [
        Target("documents/s and core, every rule", samples[_OURS].median, _WANTED_PER_S),
        Target(
            f"peak memory of validating {count:,} executions",
            max(memory),
            _MOST_MB,
            is_at_least=False,
            unit=" MB",
        ),
    ]


def _processor_s() -> float:
    """Return the processor time of all processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _schema_alone(validator: str, path: Path) -> float:
    script = _SCHEMA_ALONE.format(validator=validator, most=2_000)
    return float(_run(pinned([sys.executable, "-c", script, str(path)], SERVER_CORE)))


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
