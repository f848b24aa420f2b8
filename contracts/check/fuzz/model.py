"""What is generated, and what comes of it: plan, phases, results. Imports no Schemathesis."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from deadringer.contracts.check.http.client import Request
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.violations import Severity

Send = Callable[[Request], Exchange]
Note = Callable[[str], None]

SAFE_METHODS = frozenset({"GET", "HEAD"})


class GeneratedPhase(StrEnum):
    """Where a generated request comes from, in the order the phases run."""

    EXAMPLES = "examples"  # the examples of the specification, real ids first
    COVERAGE = "coverage"  # every boundary of every parameter, once
    FUZZING = "fuzzing"  # random parameters
    STATEFUL = "stateful"  # chains along links: an id read in one response is asked for next


@dataclass(frozen=True, slots=True)
class GeneratedPlan:
    """What to generate, and how much of it.

    `known_ids` are (workflow id, run id) of runs that exist; about half of the random requests
    ask for one of them. `max_requests` bounds what is sent, auth probes included.
    """

    base_url: str
    api_key: str
    seed: int = 0
    max_requests: int = 120
    max_time_s: float = 120
    known_ids: tuple[tuple[str, str], ...] = ()
    writes_allowed: bool = False
    left_out_operations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """What one of Schemathesis' own checks reports; BUILT_IN_CHECKS sets its severity."""

    check: str
    title: str
    message: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class GeneratedResult:
    """One generated request with its response and what Schemathesis' checks made of it."""

    exchange: Exchange
    phase: GeneratedPhase
    failures: tuple[CheckFailure, ...] = ()
