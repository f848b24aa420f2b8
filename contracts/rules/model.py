"""What a rule is: a name, a source, a severity, and one generator that yields violations."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity, Violation


class Group(StrEnum):
    """The groups of rules; `--only` and `--skip` accept these names too."""

    SHAPE = "shape"
    IDENTITY = "identity"
    STATUS = "status"
    TIME = "time"
    ERRORS = "errors"
    ORDERING = "ordering"
    MAPPING = "mapping"
    DEFINITION = "definition"
    AGED = "aged"  # (execution, time of the response by the server's clock, ISO 8601)
    READS = "reads"
    LISTING = "listing"
    CATALOGUE = "catalogue"
    TEST_RUN = "test-run"
    HTTP = "http"
    AUTH = "auth"
    NOT_FOUND = "not-found"
    RATE_LIMIT = "rate-limit"
    COST = "cost"


class Scope(StrEnum):
    """What a rule reads: the arguments of its function, before the Context."""

    DOCUMENT = "document"  # (instance, name of its schema)
    TEXT = "text"  # (value of a JSON text, pointers of its repeated members)
    EXECUTION = "execution"  # (execution)
    AGED = "aged"  # (execution, time of the response by the server's clock, ISO 8601)
    READS = "reads"  # (earlier execution, later execution): two reads of one run, in order
    LIST_PAGE = "list_page"  # (data of the response, query as sent)
    LIST_WALK = "list_walk"  # (pages: the `data` of every page in order, page_size as sent)
    ROWS = "rows"  # (earlier row, later row): two reads of one run's row in lists, in order
    TIMELINE = "timeline"  # ([{from, status, sent_s, received_s}]): every read of one run, in order
    RUNS = "runs"  # ([execution]): the last read of every run that was read
    OWNERS = "owners"  # ([{workflow_id, row}]): the rows of one run id in all lists
    LISTED_RUN = "listed_run"  # (row, execution): row did not change during the read
    LISTING = "listing"  # (run id, ids of all listed runs): the run was read and is not new
    LISTED_STATUS = "listed_status"  # (status, its listed runs with 404, its listed runs): counts
    WORKFLOW = "workflow"  # (data of Get Workflow)
    WORKFLOW_PAGE = "workflow_page"  # (data of List Workflows, query as sent)
    CATALOGUE = "catalogue"  # (data of List Workflow Actions, query as sent)
    VARIABLES = "variables"  # (data of the variables companion, execution)
    TEST_RUN = "test_run"  # (body as sent, data of the response, final execution or None)
    BALANCE = "balance"  # (earlier data, later data) of Get Credit Balance, only reads between
    LISTS = "lists"  # (run ids listed before, run ids after, kind of read between)
    NEAR_ID = "near_id"  # (exchange with a slightly different id, good body under the real id)
    EXCHANGE = "exchange"  # (exchange)
    GENERATED = "generated"  # ([(check, message, severity)] of Schemathesis, exchange)
    EXCHANGES = "exchanges"  # (earlier exchange, later exchange) under one key, in order
    WINDOW = "window"  # ([exchange]): consecutive requests of one key in one rate-limit window


@dataclass(frozen=True, slots=True)
class Settings:
    """Tolerances of the rules. Names end in the unit of the value.

    `lag_s` is how long the list and the detail of a run may disagree after a change. A run may go
    on for `last_step_patience_s` after its last step has ended, and for `next_step_patience_s` if
    another step may still begin.
    """

    duration_tolerance_ms: float = 5
    containment_tolerance_ms: float = 5
    created_tolerance_s: float = 5
    window_s: float = 60
    lag_s: float = 3
    last_step_patience_s: float = 30
    next_step_patience_s: float = 900
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the validated documents; None means unknown, and rules do not apply.

    `definition` is the definition of the workflow; if `definition_may_have_changed` since the run,
    mismatches of the definition group are only warnings. `catalogue` contains the kinds of List
    Workflow Actions.
    """

    definition: JsonObject | None = None
    definition_may_have_changed: bool = False
    catalogue: frozenset[str] | None = None
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One mismatch that a rule function found: its place, the expected and the actual value."""

    pointer: str
    expected: str
    got: str
    fix: str
    severity: Severity | None = None


RuleFunction = Callable[..., Iterator[Mismatch]]
When = Callable[..., bool]


def always(*_subject: Any) -> bool:
    """Return True: the rule applies to every subject."""
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the contract.

    `id` never changes (DR0nn follows the assertion it implements); `name` states what must hold;
    `source` names the document that requires it. `when` returns whether the rule applies to a
    subject (a rule about failed runs does not apply to a completed run); `needs` describes what a
    check must receive to test the rule.
    """

    id: str
    name: str
    group: Group
    severity: Severity
    scope: Scope
    source: str
    function: RuleFunction
    when: When = always
    needs: str = ""

    @property
    def why(self) -> str:
        """Return the rule function's docstring: first what must hold, then why it matters."""
        return inspect.getdoc(self.function) or ""

    def violations(self, *subject: Any) -> list[Violation]:
        """Return the violations of one subject (see Scope for its parts)."""
        found = list(self.function(*subject))
        if not found:
            return []
        doubtful = self.group is Group.DEFINITION and subject[-1].definition_may_have_changed
        return [
            Violation(
                rule=self.name,
                pointer=mismatch.pointer,
                expected=mismatch.expected,
                got=mismatch.got,
                fix=mismatch.fix,
                severity=Severity.WARNING if doubtful else mismatch.severity or self.severity,
                source=self.source,
            )
            for mismatch in found
        ]


def rule(
    rule_id: str,
    *,
    group: Group,
    severity: Severity,
    scope: Scope,
    source: str,
    when: When = always,
    needs: str = "",
) -> Callable[[RuleFunction], Rule]:
    """Return a decorator that turns a generator function into a Rule with the function's name."""

    def make(function: RuleFunction) -> Rule:
        return Rule(
            rule_id, function.__name__, group, severity, scope, source, function, when, needs
        )

    return make
