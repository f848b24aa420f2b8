"""The report of a check: every rule with its outcome, and every finding with examples."""

from dataclasses import dataclass
from enum import StrEnum

from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Group
from deadringer.contracts.violations import Severity, Violation

EXAMPLES_SHOWN = 3


class Outcome(StrEnum):
    """The outcome of one rule. A rule that could not be tested is skipped, never passed."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


class Conclusion(StrEnum):
    """The conclusion of the whole check."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


EXIT_CODES = {Conclusion.PASSED: 0, Conclusion.FAILED: 1, Conclusion.INCONCLUSIVE: 2}


@dataclass(frozen=True, slots=True)
class Example:
    """One violation, with the request that shows it.

    `curl` is a command line that repeats the request, with `$DEADRINGER_API_KEY` for the key.
    `request` has the form `GET /v1/… -> 200`. `document` is the validated instance, in which the
    violation's pointer is resolved, or None. `seed` is set for generated requests.
    """

    violation: Violation
    request: str
    curl: str
    operation_id: str | None = None
    document: Json = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """All violations of one rule, operation and pointer pattern.

    `pattern` is the pointer with every array index written as `*`; `examples` are the first three
    of `count` violations. `accepted` is true if the baseline lists the finding.
    """

    rule: str
    severity: Severity
    pattern: str
    operation_id: str | None
    count: int
    examples: tuple[Example, ...]
    accepted: bool = False

    @property
    def fingerprint(self) -> str:
        """Return the identity of the finding across checks, for baselines and SARIF."""
        return f"{self.rule} {self.operation_id or '-'} {self.pattern or '/'}"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule, its outcome and its findings.

    `tested` counts the subjects the rule was tested on; `reason` states why there were none.
    `elapsed_s` is the time the rule itself took, without the requests.
    """

    rule_id: str
    rule: str
    title: str
    group: Group
    severity: Severity
    source: str
    outcome: Outcome
    tested: int
    reason: str
    findings: tuple[Finding, ...] = ()
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a check, such as `reading 14 runs`, and how long it took."""

    name: str
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one check.

    `notes` are remarks about the check itself (waits, retries, budgets). `reason` states why the
    check is inconclusive and what to do next; it is empty for other conclusions.
    `phases` are in the order they ran. The check failed if a finding has the severity `fail_on` or
    a higher one.
    `interrupted_by` is the number of the signal that ended the check early, 0 if none did. Where
    `is_partial`, only a part of the server was looked at, or of the time that was needed.
    """

    base_url: str
    started_at: str
    elapsed_s: float
    requests: int
    seed: int
    conclusion: Conclusion
    results: tuple[RuleResult, ...]
    notes: tuple[str, ...] = ()
    reason: str = ""
    phases: tuple[Phase, ...] = ()
    fail_on: Severity = Severity.ERROR
    interrupted_by: int = 0
    is_partial: bool = False

    @property
    def exit_code(self) -> int:
        """Return the exit code: 0 passed, 1 failed, 2 inconclusive, 128 + signal interrupted."""
        return 128 + self.interrupted_by if self.interrupted_by else EXIT_CODES[self.conclusion]

    def count(self, outcome: Outcome) -> int:
        """Return the number of rules with this outcome."""
        return sum(result.outcome is outcome for result in self.results)

    def fails(self, finding: Finding) -> bool:
        """Return whether a finding fails the check: severe enough and not accepted."""
        is_severe = finding.severity is Severity.ERROR or self.fail_on is Severity.WARNING
        return is_severe and not finding.accepted

    @property
    def failures(self) -> tuple[RuleResult, ...]:
        """The results with a finding that fails the check."""
        return tuple(one for one in self.results if any(map(self.fails, one.findings)))

    @property
    def warnings(self) -> tuple[RuleResult, ...]:
        """The other results with findings, which do not fail the check."""
        failures = {one.rule for one in self.failures}
        return tuple(one for one in self.results if one.findings and one.rule not in failures)
