"""Benchmarks of serving: measurements, tables in Markdown, targets."""

import shutil
from dataclasses import dataclass, field

from . import idle_connections, latency, own_responses, startup, throughput
from .body import typical_response
from .budget import Budget
from .contestants import ASGI, FLASK, NGINX, OURS, OURS_FULL, PEERS, PRISM, WIREMOCK
from .processes import WrongResponseError
from .samples import Sample, best, ratio
from .startup import HELP, INTERPRETER, Starts
from .tables import Target, table

NEEDED = {"wrk": "apt-get install wrk", "taskset": "apt-get install util-linux"}
_TAIL_RATES = (35_000, 20_000, 5_000)
_TAIL_TARGETS = (20_000, 35_000)
_MAX_P50_S = 0.005
"""If the p50 of nginx is higher, the driver is the limit."""


class MissingToolError(Exception):
    """A required tool is not installed."""


@dataclass
class Report:
    """Sections of Markdown, in order, and the targets."""

    sections: list[tuple[str, str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def measure(budget: Budget) -> Report:
    """Measure everything.

    Raises:
        MissingToolError: if wrk is not installed.
    """
    for tool, remedy in NEEDED.items():
        if not shutil.which(tool):
            raise MissingToolError(f"{tool} is not installed. Fix: {remedy}")
    report = Report()
    response = typical_response()
    with throughput.everyone(response) as ready:
        budget.announce("throughput")
        rates = throughput.requests_per_second(
            ready, seconds=budget.seconds, rounds=budget.many_rounds, warm_up_s=budget.warm_up_s
        )
        _throughput(report, ready, rates, len(response.data))
        budget.announce("latency at constant rates")
        _latency(report, ready, rates, budget)
    budget.announce("start-up and memory")
    starts = startup.starts(response, rounds=budget.start_rounds, load_s=budget.seconds)
    _starts(report, starts)
    for title, part in (
        ("the mock's other responses", _other_responses),
        ("many runs", _many_runs),
        ("big bodies", _big_bodies),
        ("idle connections", _idle),
    ):
        budget.announce(title)
        try:
            part(report, budget)
        except (WrongResponseError, OSError) as error:
            report.sections.append((title.capitalize(), f"Not measured: {error}"))
    return report


def _throughput(
    report: Report, ready: throughput.Field, rates: dict[str, Sample], length: int
) -> None:
    ours, full, plain = rates.get(OURS), rates.get(OURS_FULL), rates.get(ASGI)
    costs = {name: Sample(tuple(values)) for name, values in ready.cpu_s.items()}
    rows = [
        (
            name,
            sample.shown(),
            _times(sample, rates.get(NGINX)),
            _times(sample, plain),
            costs[name].shown(1, 1e6),
            _times(costs[name], costs.get(ASGI)),
        )
        for name, sample in rates.items()
    ]
    rows += [(name, f"left out: {reason}", *[""] * 4) for name, reason in ready.absent.items()]
    heads = ("Server", "requests/s, median (range)", "of nginx", "of plain uvicorn")
    text = table((*heads, "µs of processor time a request", "of plain uvicorn's"), rows)
    about = f"One execution of {length:,} bytes, known before; 32 connections, one core each side."
    report.sections.append(("Throughput", f"{about}\n\n{text}"))
    fastest = best(rates.get(name) for name in PEERS)
    report.targets += [
        Target("cached run, journal and count on, of plain uvicorn", ratio(full, plain), 3),
        Target("throughput with journal and count on, of that without", ratio(full, ours), 0.8),
        Target("requests/s with both on, of the fastest peer mock", ratio(full, fastest), 8),
        Target("requests/s with both on, of minimal Flask", ratio(full, rates.get(FLASK)), 1),
    ]


def _times(one: Sample | None, other: Sample | None) -> str:
    value = ratio(one, other)
    return "-" if value is None else f"{value:.3f}"


def _latency(
    report: Report, ready: throughput.Field, rates: dict[str, Sample], budget: Budget
) -> None:
    requested: list[tuple[str, float]] = []
    for name in (OURS, OURS_FULL):
        if name in rates:
            at = latency.SHARE * rates[name].median
            requested += [(name, at), (NGINX, at)] if NGINX in rates else [(name, at)]
    quick = [name for name in (NGINX, ASGI, OURS, OURS_FULL) if name in rates]
    requested += [(name, rate) for rate in _TAIL_RATES for name in quick]
    tails = latency.tails(
        ready.running, requested, seconds=latency.SHORT_S, rounds=budget.short_rounds
    )
    slow = [(name, float(latency.LOW_RATE)) for name in rates]
    tails += latency.tails(
        ready.running, slow, seconds=min(2, budget.seconds), rounds=budget.rounds
    )
    rows = [
        (
            tail.name,
            f"{tail.rate:,.0f}",
            tail.p50.shown(2, 1000),
            tail.p99.shown(2, 1000),
            f"{tail.served:.1%}",
            tail.late_p99.shown(2, 1000),
            tail.stopped.shown(0, 1000),
        )
        for tail in tails
    ]
    heads = ("Server", "requests/s", "p50 ms", "p99 ms", "served")
    heads += ("driver late, p99 ms", "driver stopped, ms")
    about = (
        "An open loop: every request is due at a fixed time and its latency counts from then, so a "
        "stall counts for all that waited. The first pairs are at 70 % of our own load; where "
        "nginx falls behind too, the driver is the limit, and the rate counts as not measured. "
        f"Medians over rounds of {latency.SHORT_S:g} s, {budget.short_rounds} for each."
    )
    report.sections.append(("Latency at constant rates", f"{about}\n\n{table(heads, rows)}"))
    report.targets += [tail_target(rate, tails) for rate in _TAIL_TARGETS]


def tail_target(rate: int, tails: list[latency.Tail]) -> Target:
    """Compare our p99 at a rate with nginx's; not measured if the driver cannot sustain it."""
    at = {tail.name: tail for tail in tails if tail.rate == rate}
    ours, nginx = at.get(OURS_FULL), at.get(NGINX)
    is_measured = ours is not None and nginx is not None and nginx.p50.median < _MAX_P50_S
    value = ratio(ours.p99, nginx.p99) if is_measured else None
    return Target(f"p99 at {rate:,} requests/s, of nginx's", value, 3, is_at_least=False)


def _starts(report: Report, starts: Starts) -> None:
    seconds, memory = starts.seconds, starts.memory_mb
    bare = seconds[INTERPRETER].median
    rows = [
        (
            name,
            sample.shown(0, 1000),
            f"{(sample.median - bare) * 1000:+,.0f}",
            f"{memory[name]:,.0f}" if name in memory else "-",
        )
        for name, sample in seconds.items()
    ]
    heads = (
        "Process",
        "ms to first correct response, median (range)",
        "over bare Python",
        "MB after load",
    )
    about = "Each alone; started on all cores, loaded on one. MB: the sum of the processes' PSS."
    report.sections.append(("Start-up and memory", f"{about}\n\n{table(heads, rows)}"))
    quickest = best((seconds.get(name) for name in PEERS), highest=False)
    ours, own_memory = seconds.get(OURS_FULL), memory.get(OURS_FULL)
    over = ours.median - bare if ours else None
    report.targets += [
        Target("start-up over bare Python", over, 0.5, is_at_least=False, unit=" s"),
        Target(
            "`--help` over bare Python",
            seconds[HELP].median - bare,
            0.2,
            is_at_least=False,
            unit=" s",
        ),
        Target("start-up, of the fastest peer's", ratio(ours, quickest), 1, is_at_least=False),
    ]
    for name, limit in ((WIREMOCK, 0.5), (PRISM, 0.5)):
        value = own_memory / memory[name] if own_memory and name in memory else None
        what = f"memory after load, of {name}'s"
        report.targets.append(Target(what, value, limit, is_at_least=False))


def _other_responses(report: Report, budget: Budget) -> None:
    measured = own_responses.solo_latencies(seconds=budget.seconds, rounds=budget.rounds)
    rows = [(name, sample.shown(3, 1000)) for name, sample in measured.items()]
    about = "One request at a time, default world, everything on; round trip included."
    text = table(("Response", "p50 ms, median (range)"), rows)
    report.sections.append(("The mock's other responses", f"{about}\n\n{text}"))
    for name in ("list page", "generated run, never seen", "live run"):
        value = measured[name].median * 1000
        report.targets.append(Target(f"p50 of a {name}", value, 2, is_at_least=False, unit=" ms"))


def _many_runs(report: Report, budget: Budget) -> None:
    count = own_responses.MANY // (10 if budget.is_quick else 1)
    measured = own_responses.many_runs(seconds=budget.seconds, rounds=budget.rounds, count=count)
    rows = [
        ("always one", measured.one.shown(), ""),
        (f"{measured.count:,} in turn", measured.many.shown(), f"{measured.memory_mb:,.0f}"),
    ]
    text = table(("Runs", "requests/s, median (range)", "MB after it"), rows)
    report.sections.append(("Many distinct runs", text))


def _big_bodies(report: Report, budget: Budget) -> None:
    ours, plain, length = own_responses.big_bodies(seconds=budget.seconds, rounds=budget.rounds)
    rows = [
        (name, sample.shown(), f"{sample.median * length / 1e6:,.0f}")
        for name, sample in ((OURS, ours), (ASGI, plain))
    ]
    text = table(("Server", "requests/s, median (range)", "MB/s"), rows)
    report.sections.append((f"A body of {length:,} bytes", text))


def _idle(report: Report, budget: Budget) -> None:
    wanted = idle_connections.COUNT // (10 if budget.is_quick else 1)
    measured = idle_connections.idle_connections(seconds=budget.seconds, count=wanted)
    rows = [
        ("idle connections opened, each served once", f"{measured.opened:,} of {wanted:,}"),
        ("of these served again afterwards", f"{measured.still_served:,}"),
        ("requests/s with them, of those without", f"{measured.with_idle / measured.without:.2f}"),
        ("MB for each thousand", f"{measured.memory_mb:.1f}"),
    ]
    report.sections.append(("Idle keep-alive connections", table(("", ""), rows)))
    share = measured.still_served / wanted
    report.targets.append(Target(f"of {wanted:,} idle connections still served", share, 1))
