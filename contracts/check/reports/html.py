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

from deadringer.contracts.check.report import Example, Outcome, Report
from deadringer.contracts.json_types import Json
from deadringer.contracts.trace_view import bundled_script, bundled_style

from .runs import runs_of

MARKED_LENGTH = 700
NEIGHBOUR_LENGTH = 120
SIBLINGS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an excerpt; `is_marked` is true for the member that violates the rule."""

    text: str
    is_marked: bool = False


def render_html(report: Report) -> str:
    """Return the page: conclusion, findings inside the documents that show them, rules by group."""
    groups = [
        (group.value, list(results))
        for group, results in groupby(report.results, key=lambda result: result.group)
    ]
    order = {Outcome.FAILED: 0, Outcome.WARNING: 1}
    failed = sorted(
        (one for one in report.results if one.outcome in order), key=lambda one: order[one.outcome]
    )
    runs = runs_of(
        example for result in failed for finding in result.findings for example in finding.examples
    )
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        groups=groups,
        failed=failed,
        outcomes=list(Outcome),
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
    # Both are files of this package, in elements whose content is no markup.
    return _Page(Markup(style), Markup(script), Markup("; ".join(rules)))  # noqa: S704 - see above


def _own(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


def _source(text: str) -> str:
    """Return the source expression that allows one inline text: its hash."""
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


def excerpt(example: Example) -> list[Line]:
    """Return the object around the violating member, its neighbours shortened, as lines."""
    parts = [
        part.replace("~1", "/").replace("~0", "~")
        for part in example.violation.pointer.split("/")[1:]
    ]
    if example.document is None:
        return []
    holder = example.document
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
    is_index = isinstance(holder, list) and part.isdecimal() and len(part) <= len(str(len(holder)))
    if is_index and int(part) < len(holder):
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
            lines[-1] = Line(f"  {json.dumps(name, ensure_ascii=False)} is missing", is_marked=True)
        return [Line("{"), *lines, Line("}")]
    return [Line(_short(holder, is_marked=True), is_marked=True)]


def _short(value: Json, is_marked: bool) -> str:
    longest = MARKED_LENGTH if is_marked else NEIGHBOUR_LENGTH
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= longest else f"{text[:longest]}…"
