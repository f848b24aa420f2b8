"""Breaches in words, for the person who reads a failed test."""

from contracts.rules import rule_named
from contracts.violations import Violation

_MOST_SHOWN = 10


def told(head: str, violations: list[Violation]) -> str:
    """Give all there is to know of each breach: rule, place, both sides, fix and source."""
    ordered = sorted(violations, key=lambda violation: violation.grade)  # errors first, as in ABC
    count = "1 promise" if len(ordered) == 1 else f"{len(ordered)} promises"
    lines = [f"{count} of the contract broken" + (f" in {head}" if head else "")]
    lines += [_one(violation) for violation in ordered[:_MOST_SHOWN]]
    if len(ordered) > _MOST_SHOWN:
        lines.append(f"and {len(ordered) - _MOST_SHOWN} more")
    return "\n\n".join(lines)


def _one(violation: Violation) -> str:
    rule = rule_named(violation.rule)
    rows = (
        ("at", violation.pointer or "/"),
        ("expected", violation.expected),
        ("got", violation.got),
        ("fix", violation.fix),
        ("source", violation.source),
    )
    return "\n".join(
        [
            f"{violation.grade} {rule.id} {rule.name}",
            *(f"  {name:9} {text}" for name, text in rows if text),
        ]
    )
