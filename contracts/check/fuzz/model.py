"""Plan, phases and results of generated requests. Does not import Schemathesis."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from deadringer.contracts.check.http.client import Request
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.violations import Severity

Send = Callable[[Request], Exchange]
Log = Callable[[str], None]

SAFE_METHODS = frozenset({"GET", "HEAD"})


class GeneratedPhase(StrEnum):
    """The source of a generated request, in the order the phases run."""

    EXAMPLES = "examples"  # the examples of the specification, real ids first
    COVERAGE = "coverage"  # every boundary of every parameter, once
    FUZZING = "fuzzing"  # random parameters
    STATEFUL = "stateful"  # chains along links, with ids from earlier responses


@dataclass(frozen=True, slots=True)
class GeneratedPlan:
    """What to generate, and how many requests.

    `known_ids` are (workflow id, run id) of runs that exist; about half of the random requests use
    one of them. `max_requests` limits the requests sent, auth probes included.
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
    """A failure reported by one of Schemathesis' checks; BUILT_IN_CHECKS sets its severity."""

    check: str
    title: str
    message: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class GeneratedResult:
    """One generated request with its response and the failures of Schemathesis' checks."""

    exchange: Exchange
    phase: GeneratedPhase
    failures: tuple[CheckFailure, ...] = ()
