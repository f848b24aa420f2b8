"""Where every judgement of a check is written down: what was seen, what broke, how often."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.redaction import SecretRedactor
from deadringer.contracts.rules import SCHEMA_RULE, Context, Rule, Scope, Severity, unexplained
from deadringer.contracts.violations import Violation

from .http.client import curl_line
from .report import EXAMPLES_SHOWN, Finding, FoldedFinding, Promise, Result

_INDEX = re.compile(r"(?<=/)\d+(?=/|$)")
Fold = tuple[str, Severity, str, str | None]


class Ledger:
    """Applies the chosen rules to subjects and keeps the count for the report.

    `rules` are judged in this order; findings are folded as they come, so that a check of any
    length needs memory for its distinct breaches only.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        base_url: str,
        warn: Callable[[str], None],
        hider: SecretRedactor,
        seed: int = 0,
    ) -> None:
        self.rules = tuple(rules)
        self._base_url = base_url
        self._warn = warn
        self._hider = hider
        self._seed = seed
        self._by_scope: dict[Scope, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            self._by_scope[rule.scope].append(rule)
        self._exercised: Counter[str] = Counter()
        self._examples: dict[Fold, list[Finding]] = {}
        self._counts: Counter[Fold] = Counter()
        self._reasons: dict[str, str] = {}

    def judge(
        self,
        scope: Scope,
        *subject: Json,
        context: Context,
        exchange: Exchange,
        document: Json = None,
        below: str = "",
    ) -> None:
        """Judge one subject by every rule of a scope.

        `exchange` is the request that shows a breach; `document` is what pointers lead into, and
        `below` where in it the judged instance stands.
        """
        found: list[Violation] = []
        for rule in self._by_scope[scope]:
            found += self._violations(rule, (*subject, context))
        self._write(found, exchange, document, below)

    def judge_document(
        self,
        schema_name: str,
        instance: Json,
        scopes: Iterable[tuple[Scope, tuple[Json, ...], str]],
        *,
        context: Context,
        exchange: Exchange,
    ) -> None:
        """Judge one body by its schema and by rules on parts of it.

        `scopes` are (scope, subject, pointer of the subject). Where a rule and a conditional of
        the schema speak of the same place, the rule's words are kept.
        """
        found: list[Violation] = []
        for scope, subject, below in scopes:
            for rule in self._by_scope[scope]:
                breaches = self._violations(rule, (*subject, context))
                found += [violation.moved_below(below) for violation in breaches]
        if SCHEMA_RULE in self.rules:
            shape = self._violations(SCHEMA_RULE, (instance, schema_name, context))
            found += unexplained(shape, found)
        self._write(found, exchange, instance, "")

    def record(self, rule: Rule, violations: Iterable[Violation], exchange: Exchange) -> None:
        """Write down breaches that were found outside of `judge`, and that the rule was used."""
        if rule in self.rules:
            self._exercised[rule.name] += 1
            self._write(list(violations), exchange, exchange.body, "")

    def withdraw(self) -> None:
        """Forget all judgements so far: it was no server that was judged."""
        self._exercised.clear()
        self._examples.clear()
        self._counts.clear()

    def explain(self, rule_names: Iterable[str], reason: str) -> None:
        """Say why promises could not be exercised; the first reason stands."""
        for name in rule_names:
            self._reasons.setdefault(name, reason)

    def promises(self) -> tuple[Promise, ...]:
        """Give every rule with its result, in the order of the rules."""
        return tuple(self._promise(rule) for rule in self.rules)

    @property
    def broken(self) -> int:
        """How many distinct breaches of error severity were found."""
        return sum(severity is Severity.ERROR for _, severity, _, _ in self._counts)

    def _violations(self, rule: Rule, subject: tuple[Json, ...]) -> list[Violation]:
        try:
            if not rule.when(*subject):
                return []
            found = list(rule.violations(*subject))
        except Exception as error:
            self._warn(f"rule {rule.name} failed on an answer, please report it: {error!r}")
            return []
        self._exercised[rule.name] += 1
        return found

    def _write(
        self, violations: list[Violation], exchange: Exchange, document: Json, below: str
    ) -> None:
        for violation in violations:
            moved = violation.moved_below(below)
            pattern = _INDEX.sub("*", moved.pointer)
            fold = (moved.rule, moved.severity, pattern, exchange.operation_id)
            self._counts[fold] += 1
            examples = self._examples.setdefault(fold, [])
            if len(examples) < EXAMPLES_SHOWN:
                examples.append(self._finding(moved, exchange, document))

    def _finding(self, violation: Violation, exchange: Exchange, document: Json) -> Finding:
        outcome = str(exchange.status or exchange.failure)
        hidden = self._hider
        return Finding(
            violation=replace(
                violation, expected=hidden(violation.expected), got=hidden(violation.got)
            ),
            request=hidden(f"{exchange.method} {exchange.path} -> {outcome}"),
            curl=curl_line(self._base_url, exchange, self._hider),
            operation_id=exchange.operation_id,
            document=self._hider.json(document),
            seed=self._seed if exchange.intent is Intent.FUZZ else None,
        )

    def _promise(self, rule: Rule) -> Promise:
        folded = tuple(
            FoldedFinding(*fold[:3], fold[3], self._counts[fold], tuple(examples))
            for fold, examples in self._examples.items()
            if fold[0] == rule.name
        )
        exercised = self._exercised[rule.name]
        promise = Promise(
            rule_id=rule.id,
            rule=rule.name,
            title=rule.why.partition("\n")[0],
            group=rule.group,
            severity=rule.severity,
            source=rule.source,
            result=Result.KEPT,
            exercised=exercised,
            reason="",
            findings=folded,
        )
        if any(one.severity is Severity.ERROR for one in folded):
            return replace(promise, result=Result.BROKEN)
        if folded:
            return replace(promise, result=Result.WARNED)
        if not exercised:
            needed = f"needs {rule.needs}" if rule.needs else "nothing to judge was seen"
            reason = self._reasons.get(rule.name, needed)
            return replace(promise, result=Result.NOT_EXERCISED, reason=reason)
        return promise
