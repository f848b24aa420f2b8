"""What a tally covers: percentages by section, what is missing, and thresholds."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from deadringer.contracts.json_types import JsonObject

from .catalogue import coverage_items
from .model import Address, CoverageItem, Section, curl_line
from .tally import CoverageTally

TOTAL = "total"


class ThresholdError(ValueError):
    """A text is no threshold; the message names the possible ones."""


class SectionCoverage(NamedTuple):
    """How many items of a section were met."""

    name: str
    met: int
    total: int

    @property
    def percent(self) -> float:
        """The share that was met, rounded down to a tenth: 100.0 means all."""
        return self.met * 1000 // self.total / 10


class Threshold(NamedTuple):
    """The least percentage of a section, or of all items."""

    section: str
    percent: float


def parse_threshold(text: str) -> Threshold:
    """Return the threshold of `PERCENT` or `SECTION=PERCENT`.

    Raises:
        ThresholdError: if it is none.
    """
    name, separator, number = text.rpartition("=")
    section = name if separator else TOTAL
    try:
        percent = float(number)
    except ValueError:
        percent = -1
    if section not in {TOTAL, *Section} or not 0 <= percent <= 100:
        sections = ", ".join([TOTAL, *Section])
        raise ThresholdError(
            f"{text!r} is no threshold. Use PERCENT or SECTION=PERCENT, with a number from 0 to "
            f"100 and one of the sections {sections}."
        )
    return Threshold(section, percent)


class CoverageReport:
    """A tally, compared with all items; `address` is where the lines for missing items go."""

    def __init__(self, tally: CoverageTally, address: Address) -> None:
        self.tally = tally
        self.counts = tally.counts()
        self._address = address

    @property
    def missing(self) -> list[CoverageItem]:
        """The items that were not met, section by section."""
        return [item for item in coverage_items().values() if not self.counts[item.id]]

    @property
    def sections(self) -> tuple[SectionCoverage, ...]:
        """The sections in order, then the total."""
        items = coverage_items().values()
        found = [
            self._section(section, [item for item in items if item.section is section])
            for section in Section
        ]
        return (*found, self._section(TOTAL, list(items)))

    def _section(self, name: str, items: list[CoverageItem]) -> SectionCoverage:
        met = sum(1 for item in items if self.counts[item.id])
        return SectionCoverage(str(name), met, len(items))

    def failures(self, thresholds: tuple[Threshold, ...]) -> list[str]:
        """Return a line for each threshold that the coverage is below."""
        sections = {one.name: one for one in self.sections}
        return [
            f"{wanted.section}: {sections[wanted.section].percent}% is below {wanted.percent:g}%"
            for wanted in thresholds
            if sections[wanted.section].met * 100 < wanted.percent * sections[wanted.section].total
        ]

    def lines_of(self, item: CoverageItem) -> list[str]:
        """Return the shell lines that produce an item in the mock."""
        return [curl_line(step, self._address) for step in item.steps]

    def to_json(self) -> JsonObject:
        """Return the JSON form of the tally with `sections` and `missing`."""
        return {
            **self.tally.to_json(),
            "sections": [{**one._asdict(), "percent": one.percent} for one in self.sections],
            "missing": [
                {
                    "id": item.id,
                    "section": str(item.section),
                    "title": item.title,
                    "steps": self.lines_of(item),
                }
                for item in self.missing
            ],
        }


def render_coverage(
    report: CoverageReport, *, verbose: bool = False, has_lines: bool = True
) -> str:
    """Return the report as text: a line for each section, then each missing situation.

    `has_lines` adds the shell lines that produce what is missing, `verbose` the missing operations,
    statuses and codes, and what was met.
    """
    return "\n".join(_lines(report, verbose=verbose, has_lines=has_lines)) + "\n"


def _lines(report: CoverageReport, *, verbose: bool, has_lines: bool) -> Iterator[str]:
    yield f"Coverage of {report.tally.requests} requests"
    for one in report.sections:
        yield f"  {one.name:<11} {one.met:>4} of {one.total:>3}  {one.percent:>5.1f}%"
    if report.tally.unknown:
        names = ", ".join(sorted(report.tally.unknown)[:5])
        yield f"Not counted, unknown to this version: {len(report.tally.unknown)} item(s): {names}"
    missing = report.missing
    for section in Section if verbose else (Section.SITUATIONS,):
        of_section = [item for item in missing if item.section is section]
        if of_section:
            yield ""
            yield f"Missing {section}"
        for item in of_section:
            yield f"  {item.id.partition('/')[2]}: {item.title}"
            yield from (f"    {line}" for line in report.lines_of(item) if has_lines)
    if verbose:
        yield from _met(report.counts)


def _met(counts: Mapping[str, int]) -> Iterator[str]:
    met = [(item, counts[item.id]) for item in coverage_items().values() if counts[item.id]]
    if met:
        yield ""
        yield "Met, and how often"
    for item, count in met:
        yield f"  {count:>6}  {item.id}: {item.title}"
