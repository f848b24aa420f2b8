"""Tables in Markdown, and verdicts over targets."""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MET, MISSED, UNKNOWN = "met", "**not met**", "not measured"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others are figures."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


@dataclass(frozen=True)
class Target:
    """One target for a measurement: its limit and the measured value."""

    what: str
    measured: float | None
    limit: float
    is_at_least: bool = True
    unit: str = ""
    unknown: str = UNKNOWN
    """The verdict if nothing was measured."""

    @property
    def verdict(self) -> str:
        """Return whether the measured value satisfies the limit."""
        if self.measured is None:
            return self.unknown
        holds: Callable[[float, float], bool] = operator.ge if self.is_at_least else operator.le
        return MET if holds(self.measured, self.limit) else MISSED

    def row(self) -> tuple[str, str, str, str]:
        """Return its row in the table of verdicts."""
        sign = "at least" if self.is_at_least else "at most"
        measured = "-" if self.measured is None else f"{self.measured:,.3g}{self.unit}"
        return self.what, f"{sign} {self.limit:g}{self.unit}", measured, self.verdict


def verdicts(targets: Iterable[Target]) -> str:
    """Return the table of verdicts."""
    return table(("Target", "Limit", "Measured", ""), [target.row() for target in targets])
