"""Benchmarks of generating: speed, validity, memory of the command, rate of the strategies."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import places
from .budget import Budget
from .makers import BY_RULES, OURS, VALIDATED, Made, Maker, Worth, make, makers, worth
from .processes import SERVER_CORE, pinned, watched
from .samples import Sample, best, interleaved, ratio
from .serving import Report
from .tables import Target, table

MILLION = 1_000_000
_DRAWS = """
import time
from hypothesis import HealthCheck, Phase, given, settings
from deadringer.fixtures.strategies import executions
drawn = 0
@settings(max_examples={count}, phases=[Phase.generate], database=None, deadline=None,
          suppress_health_check=list(HealthCheck), derandomize=True)
@given(executions())
def draw(execution):
    global drawn
    drawn += 1
begin = time.process_time()
draw()
print((time.process_time() - begin) / drawn)
"""


def measure(budget: Budget) -> Report:
    """Measure everything."""
    report = Report()
    for title, part in (
        ("generators", _makers),
        ("strategies", _strategies),
        ("the command", _command),
    ):
        budget.announce(title)
        try:
            part(report, budget)
        except (OSError, subprocess.SubprocessError) as error:
            report.sections.append((title.capitalize(), f"Not measured: {error}"))
    return report


def _makers(report: Report, budget: Budget) -> None:
    able, absent = [], {}
    for maker in makers():
        reason = maker.missing()
        if reason:
            absent[maker.name] = reason
        else:
            able.append(maker)
    last: dict[str, Made] = {}

    def once(maker: Maker) -> float | None:
        try:
            last[maker.name] = make(maker, min(2, budget.seconds), VALIDATED)
        except OSError as error:
            absent[maker.name] = str(error)
            return None
        return last[maker.name].per_second

    rates = interleaved(
        {maker.name: lambda maker=maker: once(maker) for maker in able}, budget.rounds
    )
    values = {name: worth(made.documents) for name, made in last.items()}
    _makers_table(report, rates, values, absent)


def _makers_table(
    report: Report, rates: dict[str, Sample], values: dict[str, Worth], absent: dict[str, str]
) -> None:
    rows = [
        (
            name,
            sample.shown(0 if sample.median >= 10 else 2),
            f"{values[name].validated:,}",
            _share(values[name].schema),
            _share(values[name].rules),
            _share(values[name].without_warning),
        )
        for name, sample in rates.items()
    ]
    rows += [(name, f"left out: {reason}", "", "", "", "") for name, reason in absent.items()]
    heads = (
        "Generator",
        "executions/s, median (range)",
        "validated",
        "schema",
        "all rules",
        "no warning either",
    )
    peers = [one.name for one in makers() if one.is_in_use and one.name in rates.keys() - {OURS}]
    true = [name for name in peers if values[name].rules == 1]
    ours = rates.get(OURS)
    about = (
        "Generated and written as JSON, on one core, per second of processor time. The shares are "
        "of the first documents, validated by the contract."
    )
    beside = ratio(ours, rates.get(BY_RULES))
    after = (
        f"The factory by the rules is not a public generator: it shows what linear runs "
        f"that follow the rules cost. Ours is {beside:.1f} times as fast."
        if beside
        else ""
    )
    report.sections.append(("Generators", f"{about}\n\n{table(heads, rows)}\n\n{after}".rstrip()))
    report.targets += [
        Target(
            "executions/s, of the fastest peer without a rule violation",
            ratio(ours, best(rates[name] for name in true)),
            10,
            unknown=f"none of {len(peers)} peers is without",
        ),
        Target(
            "executions/s, of the fastest peer of all",
            ratio(ours, best(rates[name] for name in peers)),
            1,
        ),
        Target("share of our executions that follows every rule", values[OURS].without_warning, 1),
    ]


def _share(value: float) -> str:
    return f"{value:.1%}"


def _strategies(report: Report, budget: Budget) -> None:
    count = 200 if budget.is_quick else 1_000
    script = _DRAWS.format(count=count)
    measures = {"once": lambda: float(_printed([sys.executable, "-c", script]))}
    sample = interleaved(measures, budget.rounds)["once"]
    text = f"{sample.shown(2, 1000)} ms of processor time for one of {count:,} `executions()`."
    report.sections.append(("Hypothesis strategies", text))
    report.targets.append(
        Target("`executions()`", sample.median * 1000, 5, is_at_least=False, unit=" ms")
    )


def _printed(command: Sequence[str]) -> str:
    ran = subprocess.run(pinned(command, SERVER_CORE), capture_output=True, text=True, check=True)
    return ran.stdout


def _command(report: Report, budget: Budget) -> None:
    count = MILLION // (20 if budget.is_quick else 1)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "runs.ndjson")
        seconds, memory_mb = watched(
            [places.COMMAND, "generate", "-n", str(count), "--format", "ndjson", "--out", str(out)]
        )
        size = out.stat().st_size
    text = (
        f"`deadringer generate -n {count} --format ndjson`, all cores: {seconds:,.0f} s, "
        f"{count / seconds:,.0f} executions/s, {size / seconds / 1e6:,.0f} MB/s; "
        f"at most {memory_mb:,.0f} MB, the sum of its processes' PSS."
    )
    report.sections.append(("The command", text))
    what = f"peak memory of {count:,} executions"
    report.targets.append(Target(what, memory_mb, 200, is_at_least=False, unit=" MB"))
