"""`make mutation`: run the check against every contract fault and print which rules found it."""

import argparse
import logging
import multiprocessing
import sys
import time
from dataclasses import dataclass

from deadringer.contracts.check import CheckOptions, Report, run_check
from deadringer.contracts.rules import RULES
from deadringer.mockserver import RatePolicy
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS, ContractFault

from .servers import KEY, PLENTY, mock

FAULTS = {fault.name: fault for fault in CONTRACT_FAULTS}
GROUPS = {rule.name: rule.group.value for rule in RULES}
NARROW = RatePolicy(limit=100, window_s=60)


@dataclass(frozen=True)
class Outcome:
    """The outcome of the check for one fault."""

    name: str
    found_by: tuple[str, ...]
    requests: int
    elapsed_s: float

    @property
    def fault(self) -> ContractFault:
        """Return the tested fault."""
        return FAULTS[self.name]

    @property
    def is_found(self) -> bool:
        """Return whether a rule of the right group found it, with the right severity."""
        return any(GROUPS[name] == self.fault.group for name in self.found_by)


def try_fault(name: str, *, narrow: bool = False) -> Outcome:
    """Check a mock with one fault."""
    logging.disable(logging.CRITICAL)
    fault = FAULTS[name]
    began_s = time.monotonic()
    with mock(name, policy=NARROW if narrow else PLENTY) as url:
        report = run_check(
            CheckOptions(
                base_url=url,
                api_key=KEY,
                watch_s=2,
                writes_allowed=fault.needs_writes,
                generated_cases=0,
            )
        )
    return Outcome(name, _found_by(report, fault), report.requests, time.monotonic() - began_s)


def _found_by(report: Report, fault: ContractFault) -> tuple[str, ...]:
    return tuple(
        result.rule
        for result in report.results
        if any(one.severity.value == fault.severity for one in result.findings)
    )


def _try(arguments: tuple[str, bool]) -> Outcome:
    return try_fault(arguments[0], narrow=arguments[1])


def main() -> int:
    """Test every fault, print the table, and return 1 if one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("names", nargs="*", help="faults to try (default: all)")
    parser.add_argument("--narrow", action="store_true", help="allow 100 requests a minute")
    chosen = parser.parse_args()
    names = chosen.names or [fault.name for fault in CONTRACT_FAULTS]
    began_s = time.monotonic()
    with multiprocessing.Pool(2) as pool:
        outcomes = []
        for outcome in pool.imap(_try, [(name, chosen.narrow) for name in names]):
            outcomes.append(outcome)
            _print(outcome)
    found = sum(outcome.is_found for outcome in outcomes)
    requests = sorted(outcome.requests for outcome in outcomes)
    print(f"\n{found} of {len(outcomes)} faults found by a rule of the right group")
    print(
        f"requests a check: {requests[0]} to {requests[-1]}, median {requests[len(requests) // 2]}"
    )
    print(f"{time.monotonic() - began_s:.0f} s")
    return 0 if found == len(outcomes) else 1


def _print(outcome: Outcome) -> None:
    mark = "found " if outcome.is_found else "MISSED"
    rules = ", ".join(outcome.found_by) or "nothing"
    print(f"{mark} {outcome.fault.name:<34} {outcome.requests:>4} requests  {rules}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
