"""The report as one self-contained HTML page; everything from servers is escaped."""

import json
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from contracts.check.report_model import Finding, Report, Result
from contracts.json_types import Json

BROKEN_LENGTH = 700
NEIGHBOUR_LENGTH = 120
SIBLINGS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an excerpt; `is_broken` marks the member the breach is about."""

    text: str
    is_broken: bool = False


def render_html(report: Report) -> str:
    """Give the page: verdict, promises by group, each breach inside the document that shows it."""
    groups = [
        (group.value, list(promises))
        for group, promises in groupby(report.promises, key=lambda promise: promise.group)
    ]
    order = {Result.BROKEN: 0, Result.WARNED: 1}
    breaches = sorted(
        (one for one in report.promises if one.result in order), key=lambda one: order[one.result]
    )
    template = _environment().get_template("report.html")
    return template.render(
        report=report, groups=groups, breaches=breaches, results=list(Result), excerpt=excerpt
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("contracts.check.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def excerpt(finding: Finding) -> list[Line]:
    """Give the object that holds the broken member, its neighbours shortened, as lines."""
    parts = [
        part.replace("~1", "/").replace("~0", "~")
        for part in finding.violation.pointer.split("/")[1:]
    ]
    if finding.document is None:
        return []
    holder = finding.document
    for part in parts[:-1]:
        following = _member(holder, part)
        if following is None:
            break
        holder = following
    name = parts[-1] if parts else None
    return list(_lines(holder, name))


def _member(holder: Json, part: str) -> Json:
    if isinstance(holder, dict):
        return holder.get(part)
    if isinstance(holder, list) and part.isdecimal() and int(part) < len(holder):
        return holder[int(part)]
    return None


def _lines(holder: Json, name: str | None) -> list[Line]:
    if isinstance(holder, dict):
        members = list(holder.items())
        if name is not None and name not in holder:
            members.append((name, None))
        at = next((index for index, (key, _) in enumerate(members) if key == name), 0)
        start = max(0, at - SIBLINGS_SHOWN)
        shown = members[start : at + SIBLINGS_SHOWN + 1]
        lines = [
            Line(
                f"  {json.dumps(key, ensure_ascii=False)}: {_short(value, key == name)}",
                key == name,
            )
            for key, value in shown
        ]
        if name is not None and name not in holder:
            lines[-1] = Line(f"  {json.dumps(name, ensure_ascii=False)} is missing", is_broken=True)
        return [Line("{"), *lines, Line("}")]
    return [Line(_short(holder, is_broken=True), is_broken=True)]


def _short(value: Json, is_broken: bool) -> str:
    longest = BROKEN_LENGTH if is_broken else NEIGHBOUR_LENGTH
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= longest else f"{text[:longest]}…"
