"""What a check says in the end: every promise with its result, and every breach with its proof."""

from dataclasses import dataclass
from enum import StrEnum

from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Group
from deadringer.contracts.violations import Severity, Violation

EXAMPLES_SHOWN = 3


class Result(StrEnum):
    """What became of one promise. A promise that was not exercised was not kept either."""

    KEPT = "kept"
    BROKEN = "broken"
    WARNED = "warned"
    NOT_EXERCISED = "not exercised"


class Verdict(StrEnum):
    """What became of the whole check."""

    CONFORMS = "conforms"
    BROKEN = "broken promises"
    UNCHECKED = "could not check"


EXIT_CODES = {Verdict.CONFORMS: 0, Verdict.BROKEN: 1, Verdict.UNCHECKED: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach, with the request that shows it.

    `curl` is a command line that repeats the request; the key stands as `$DEADRINGER_API_KEY`.
    `request` reads `GET /v1/… -> 200`. `document` is the judged instance (the pointer of the
    violation leads into it), or None where there was none. `seed` is set for generated requests.
    """

    violation: Violation
    request: str
    curl: str
    operation_id: str | None = None
    document: Json = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class FoldedFinding:
    """Findings that say the same of many places: one rule, operation, pointer pattern.

    `pattern` is the pointer with every array index written as `*`; `examples` are the first
    three of `count` findings. `accepted` tells that the baseline knows it.
    """

    rule: str
    severity: Severity
    pattern: str
    operation_id: str | None
    count: int
    examples: tuple[Finding, ...]
    accepted: bool = False

    @property
    def fingerprint(self) -> str:
        """What identifies the breach from one check to the next, for baselines and SARIF."""
        return f"{self.rule} {self.operation_id or '-'} {self.pattern or '/'}"


@dataclass(frozen=True, slots=True)
class Promise:
    """One rule with what the check saw of it.

    `exercised` counts the subjects that could have broken it; `reason` says why there were none.
    """

    rule_id: str
    rule: str
    title: str
    group: Group
    severity: Severity
    source: str
    result: Result
    exercised: int
    reason: str
    findings: tuple[FoldedFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one check.

    `notes` are remarks on how the check went (waits, retries, budgets); `could_not_check` says
    why and what to do next, and is empty unless the verdict is UNCHECKED.
    """

    base_url: str
    started_at: str
    elapsed_s: float
    requests: int
    seed: int
    verdict: Verdict
    promises: tuple[Promise, ...]
    notes: tuple[str, ...] = ()
    could_not_check: str = ""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 broken promises, 2 could not check."""
        return EXIT_CODES[self.verdict]

    def count(self, result: Result) -> int:
        """How many promises had this result."""
        return sum(promise.result is result for promise in self.promises)
