"""Apply the rules and record the results."""

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.redaction import SHORTEST_KEY, SecretRedactor
from deadringer.contracts.rules import (
    SCHEMA_RULE,
    Context,
    Rule,
    Scope,
    Severity,
    prepared,
    unexplained,
)
from deadringer.contracts.traffic import Subject
from deadringer.contracts.violations import Violation

from .access import Access
from .http.client import curl_line
from .report import EXAMPLES_SHOWN, Example, Finding, Outcome, RuleResult

_INDEX = re.compile(r"(?<=/)\d+(?=/|$)")
MOST_FINDINGS = 5_000
"""What is found in other places than these is counted together, by rule and operation."""
Fold = tuple[str, Severity, str, str | None]


class ResultRecorder:
    """Apply the selected rules to subjects and collect the results for the report.

    Rules are tested in the order of `rules`. Violations are folded at once, so that memory grows
    with the number of distinct findings only.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        base_url: str,
        warn: Callable[[str], None],
        redactor: SecretRedactor,
        seed: int = 0,
        access: Access | None = None,
        near_keys: Iterable[str] = (),
        most_shown_bytes: float = math.inf,
    ) -> None:
        """Set what is tested; examples beyond `most_shown_bytes` are stored without document."""
        self.rules = tuple(rules)
        self._near = SecretRedactor(near_keys, shortest=SHORTEST_KEY)
        self._base_url = base_url
        self._warn = warn
        self._redactor = redactor
        self._seed = seed
        self._access = access or Access()
        self._by_scope: dict[Scope, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            self._by_scope[rule.scope].append(rule)
        self._tested: Counter[str] = Counter()
        self._elapsed_s: dict[str, float] = defaultdict(float)
        self._examples: dict[Fold, list[Example]] = {}
        self._counts: Counter[Fold] = Counter()
        self._reasons: dict[str, str] = {}
        self._shown_bytes_left = most_shown_bytes
        self._last_shown: tuple[Json, Json] = (None, None)

    def apply(
        self,
        scope: Scope,
        *subject: Json,
        context: Context,
        exchange: Exchange,
        document: Json = None,
        below: str = "",
    ) -> None:
        """Validate one subject with every rule of a scope.

        `exchange` is the request that shows a violation. `document` is the document of the
        pointers, and `below` the pointer of the subject in it.
        """
        found: list[Violation] = []
        subject = prepared(scope, subject)
        for rule in self._by_scope[scope]:
            found += self._violations(rule, (*subject, context))
        self._write(found, exchange, document, below)

    def validate_document(
        self,
        schema_name: str,
        instance: Json,
        scopes: Iterable[tuple[Scope, tuple[Json, ...], str]],
        *,
        context: Context,
        exchange: Exchange,
    ) -> None:
        """Validate one body with its schema, and its parts with rules.

        `scopes` are (scope, subject, pointer of the subject). If a rule and a conditional of the
        schema report the same place, only the rule's violation is recorded.
        """
        self.test(Subject(instance, tuple(scopes), context, schema_name), exchange)

    def test(self, subject: Subject, exchange: Exchange) -> list[Violation]:
        """Validate one subject, record the violations and return them.

        `exchange` is the request that shows them; their pointers are those of the document.
        """
        document, parts, context, schema = subject
        found: list[Violation] = []
        for scope, plain, below in parts:
            arguments = prepared(scope, plain)
            for rule in self._by_scope[scope]:
                violations = self._violations(rule, (*arguments, context))
                found += [violation.moved_below(below) for violation in violations]
        if schema and SCHEMA_RULE in self.rules:
            shape = self._violations(SCHEMA_RULE, (document, schema, context))
            found += unexplained(shape, found)
        self._write(found, exchange, document, "")
        return found

    def record(self, rule: Rule, violations: Iterable[Violation], exchange: Exchange) -> None:
        """Record that a rule was tested, with violations that were found outside of `apply`."""
        if rule in self.rules:
            self._tested[rule.name] += 1
            self._write(list(violations), exchange, exchange.body, "")

    def withdraw(self) -> None:
        """Discard all results so far: no server responded."""
        self._tested.clear()
        self._examples.clear()
        self._counts.clear()

    def explain(self, rule_names: Iterable[str], reason: str) -> None:
        """Set why rules could not be tested; the first reason for a rule is used."""
        for name in rule_names:
            self._reasons.setdefault(name, reason)

    def results(self) -> tuple[RuleResult, ...]:
        """Return the result of every rule, in the order of the rules."""
        return tuple(self._result(rule) for rule in self.rules)

    @property
    def failed(self) -> int:
        """Return the number of distinct findings of severity error."""
        return sum(severity is Severity.ERROR for _, severity, _, _ in self._counts)

    @property
    def has_tested(self) -> bool:
        """Return whether any rule was tested."""
        return self._tested.total() > 0

    def _violations(self, rule: Rule, subject: tuple[Json, ...]) -> list[Violation]:
        began_at_s = time.perf_counter()
        try:
            return self._tried(rule, subject)
        finally:
            self._elapsed_s[rule.name] += time.perf_counter() - began_at_s

    def _tried(self, rule: Rule, subject: tuple[Json, ...]) -> list[Violation]:
        try:
            if not rule.when(*subject):
                return []
            found = list(rule.violations(*subject))
        except Exception as error:
            self._warn(f"rule {rule.name} raised on a response, please report it: {error!r}")
            return []
        self._tested[rule.name] += 1
        return found

    def _write(
        self, violations: list[Violation], exchange: Exchange, document: Json, below: str
    ) -> None:
        for violation in violations:
            moved = violation.moved_below(below)
            pattern = _INDEX.sub("*", moved.pointer)
            fold = (moved.rule, moved.severity, pattern, exchange.operation_id)
            if fold not in self._counts and len(self._counts) >= MOST_FINDINGS:
                fold = (moved.rule, moved.severity, "", exchange.operation_id)
            self._counts[fold] += 1
            examples = self._examples.setdefault(fold, [])
            if len(examples) < EXAMPLES_SHOWN:
                examples.append(self._example(moved, exchange, document))

    def _example(self, violation: Violation, exchange: Exchange, document: Json) -> Example:
        outcome = str(exchange.status or exchange.failure)
        redact = self._redactor
        return Example(
            violation=replace(
                violation, expected=redact(violation.expected), got=redact(violation.got)
            ),
            request=redact(f"{exchange.method} {exchange.path} -> {outcome}"),
            curl=self._near(curl_line(self._base_url, exchange, self._redactor, self._access)),
            operation_id=exchange.operation_id,
            document=self._shown(document, len(exchange.response_body)),
            seed=self._seed if exchange.intent is Intent.FUZZ else None,
        )

    def _shown(self, document: Json, size: int) -> Json:
        """Return a document without secrets, or None if there is no room for it.

        All violations of one document share the copy. `size` is that of its response in bytes.
        """
        if self._last_shown[0] is not document:
            if size > self._shown_bytes_left:
                return None
            self._shown_bytes_left -= size
            self._last_shown = document, self._near.json(self._redactor.json(document))
        return self._last_shown[1]

    def _result(self, rule: Rule) -> RuleResult:
        findings = tuple(
            Finding(*fold[:3], fold[3], self._counts[fold], tuple(examples))
            for fold, examples in self._examples.items()
            if fold[0] == rule.name
        )
        tested = self._tested[rule.name]
        result = RuleResult(
            rule_id=rule.id,
            rule=rule.name,
            title=rule.why.partition("\n")[0],
            group=rule.group,
            severity=rule.severity,
            source=rule.source,
            outcome=Outcome.PASSED,
            tested=tested,
            reason="",
            findings=findings,
            elapsed_s=self._elapsed_s[rule.name],
        )
        if any(one.severity is Severity.ERROR for one in findings):
            return replace(result, outcome=Outcome.FAILED)
        if findings:
            return replace(result, outcome=Outcome.WARNING)
        if not tested:
            needed = f"needs {rule.needs}" if rule.needs else "nothing to test it on was returned"
            reason = self._reasons.get(rule.name, needed)
            return replace(result, outcome=Outcome.SKIPPED, reason=reason)
        return result
