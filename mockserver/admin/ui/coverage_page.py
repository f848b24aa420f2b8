"""The coverage page: what a client has met and what not, with the lines that produce it."""

from collections.abc import Iterator
from typing import NamedTuple

from flask import Flask, Response, request

from deadringer.contracts.coverage import (
    CoverageItem,
    CoverageReport,
    Section,
    coverage_items,
    situations,
)
from deadringer.mockserver.admin.address import address_of
from deadringer.mockserver.api.middleware.coverage import Coverage
from deadringer.mockserver.world.service import Service

from .shell import UI, session_of_page, show_page


class CoverageRow(NamedTuple):
    """One item to show; `why` and `source` are of situations only."""

    item: CoverageItem
    times: int
    lines: list[str]
    why: str
    source: str

    @property
    def name(self) -> str:
        """Its id within the section."""
        return self.item.id.partition("/")[2]

    @property
    def searched(self) -> str:
        """The text that a search looks through."""
        return f"{self.name} {self.item.title} {self.why}".lower()


def add_coverage_page(
    app: Flask, service: Service, coverage: Coverage, *, is_proxy: bool = False
) -> None:
    """Add `/__mock/ui/coverage`; with `?all=true` it counts every session since the start."""
    app.add_url_rule(
        f"{UI}coverage",
        "ui coverage",
        lambda: _coverage_page(service, coverage, is_proxy=is_proxy),
    )


def _coverage_page(service: Service, coverage: Coverage, *, is_proxy: bool) -> Response:
    is_total, session = request.args.get("all") == "true", session_of_page()
    tally = coverage.total() if is_total else coverage.tally(session)
    address = address_of(service.settings, session, is_proxy=is_proxy)
    report = CoverageReport(tally, address)
    return show_page(
        "coverage.html",
        "ui coverage",
        is_total=is_total,
        is_proxy=is_proxy,
        report=report,
        sections=list(Section),
        rows=list(_rows(report)),
    )


def _rows(report: CoverageReport) -> Iterator[CoverageRow]:
    """Yield every item, situations first: the other items follow from the specification."""
    known = {one.item.id: one for one in situations()}
    items = sorted(coverage_items().values(), key=lambda item: item.id not in known)
    for item in items:
        one = known.get(item.id)
        why, source = (one.why, one.source) if one else ("", "")
        yield CoverageRow(item, report.counts[item.id], report.lines_of(item), why, source)
