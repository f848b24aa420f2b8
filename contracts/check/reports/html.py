"""The report as one self-contained HTML page; everything from servers is escaped."""

import json
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deadringer.contracts.check.report import Finding, Report, Result
from deadringer.contracts.json_types import Json
from deadringer.contracts.trace_view import bundled_script, bundled_style

from .runs import runs_of

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
    runs = runs_of(
        finding
        for promise in breaches
        for folded in promise.findings
        for finding in folded.examples
    )
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        groups=groups,
        breaches=breaches,
        results=list(Result),
        excerpt=excerpt,
        runs=runs,
        page=_page(has_runs=bool(runs.shown)),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """Style and script of the page, and the policy under which nothing else runs."""

    style: Markup
    script: Markup
    policy: Markup


@cache
def _page(*, has_runs: bool) -> _Page:
    style = bundled_style() + _own("report.css")
    script = bundled_script() + _own("report.js") if has_runs else ""
    rules = ["default-src 'none'", f"style-src {_source(style)}", "img-src data:"]
    rules += [f"script-src {_source(script)}"] if has_runs else []
    rules += ["base-uri 'none'", "form-action 'none'"]
    # Both are files of ours, and stand in elements whose content is no markup.
    return _Page(Markup(style), Markup(script), Markup("; ".join(rules)))  # noqa: S704 - ours


def _own(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


def _source(text: str) -> str:
    """Give the one inline text a policy allows: its hash."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("deadringer.contracts.check.reports"),
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
