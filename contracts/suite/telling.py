"""A promise's breaches in words, for the person who reads the test run."""

from deadringer.contracts.check import FoldedFinding, Promise


def told(promise: Promise, *, examples: int = 3) -> str:
    """Give a promise's breaches as lines: what, where, how to fix, and how to see it again."""
    head = f"{promise.rule_id} {promise.rule}: {promise.title}\nSource: {promise.source}"
    return "\n".join([head, *(_folded(one, examples) for one in promise.findings)])


def _folded(folded: FoldedFinding, examples: int) -> str:
    place = folded.pattern or "the answer"
    times = "once" if folded.count == 1 else f"{folded.count} times"
    lines = [f"{folded.grade}, {times}, in {folded.operation_id or 'any operation'}, {place}:"]
    for example in folded.examples[:examples]:
        violation = example.violation
        where = violation.pointer or "the answer"
        lines += [f"  {example.request}, {where}: {violation.message}", f"    {example.curl}"]
    fix = folded.examples[0].violation.fix if folded.examples else ""
    return "\n".join([*lines, f"  Fix: {fix}"])
