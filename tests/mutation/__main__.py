"""`make mutation`: run the check against every faulty and every correct server; print a table."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Mapping

from .trials import CATALOGUE, SERVERS, VARIANTS, Trial, attempt, interval

KINDS: dict[str, Mapping[str, object]] = {
    "catalogue": CATALOGUE,
    "servers": SERVERS,
    "variants": VARIANTS,
}
TITLES = {
    "catalogue": "faults of `serve --break`, found",
    "servers": "faulty servers, found",
    "variants": "correct servers, passed",
}


def main() -> int:
    """Try every server, print the table, and return 1 if one trial was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("names", nargs="*", help="faults or variants to try (default: all)")
    parser.add_argument("--kind", choices=[*KINDS], action="append", help="only these kinds")
    parser.add_argument("--plain", action="store_true", help="run Schemathesis alone beside it")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    began_s = time.monotonic()
    work = [
        (kind, name, chosen.plain)
        for kind in chosen.kind or KINDS
        for name in KINDS[kind]
        if not chosen.names or name in chosen.names
    ]
    trials = []
    with multiprocessing.Pool(chosen.workers) as pool:
        for trial in pool.imap_unordered(_attempt, work):
            trials.append(trial)
            _print(trial)
    print("\n" + table(trials))
    print(f"\n{time.monotonic() - began_s:.0f} s in all")
    return 0 if trials and all(trial.is_right for trial in trials) else 1


def _attempt(work: tuple[str, str, bool]) -> Trial:
    return attempt(work[0], work[1], plain=work[2])


def _print(trial: Trial) -> None:
    mark = "right" if trial.is_right else "WRONG"
    rules = ", ".join(trial.found_by) or "nothing"
    counts = f"{trial.requests:>4} requests {trial.elapsed_s:>4.0f} s"
    print(f"{mark} {trial.kind:<9} {trial.name:<52} {counts}  {rules}", flush=True)


def table(trials: list[Trial]) -> str:
    """Return the table of shares with their 95 % confidence intervals, as Markdown."""
    lines = [
        "| servers | number | deadringer check | 95 % interval | plain Schemathesis |",
        "|---|---|---|---|---|",
    ]
    for kind, title in TITLES.items():
        some = [trial for trial in trials if trial.kind == kind]
        if not some:
            continue
        right = sum(trial.is_right for trial in some)
        low, high = interval(right, len(some))
        plain = [trial for trial in some if trial.is_right_plain is not None]
        beside = f"{sum(bool(trial.is_right_plain) for trial in plain)} of {len(plain)}"
        lines.append(
            f"| {title} | {len(some)} | {right} | {low:.1%} to {high:.1%} "
            f"| {beside if plain else 'not run'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
