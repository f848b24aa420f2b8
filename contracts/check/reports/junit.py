"""The report as JUnit XML: one test case for each promise."""

import xml.etree.ElementTree as ET

from deadringer.contracts.check.report import FoldedFinding, Promise, Report, Result


def render_junit(report: Report) -> str:
    """Give one test suite whose cases are the promises; what was not exercised is skipped."""
    suite = ET.Element(
        "testsuite",
        name="deadringer check",
        tests=str(len(report.promises)),
        failures=str(report.count(Result.BROKEN)),
        errors="0",
        skipped=str(report.count(Result.NOT_EXERCISED)),
        time=f"{report.elapsed_s:.3f}",
        timestamp=report.started_at.rstrip("Z"),
        hostname=_printable(report.base_url),
    )
    for promise in report.promises:
        _add_case(suite, promise)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, promise: Promise) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"deadringer.{promise.group.value}",
        name=f"{promise.rule_id} {promise.rule}",
        time="0",
    )
    text = _printable("\n\n".join(_told(folded) for folded in promise.findings))
    if promise.result is Result.NOT_EXERCISED:
        ET.SubElement(case, "skipped", message=_printable(promise.reason))
    elif promise.result is Result.BROKEN:
        failure = ET.SubElement(case, "failure", message=_printable(promise.title), type="error")
        failure.text = text
    elif promise.result is Result.WARNED:
        ET.SubElement(case, "system-out").text = text


def _told(folded: FoldedFinding) -> str:
    finding = folded.examples[0]
    violation = finding.violation
    return (
        f"{folded.severity.value}: {finding.request} at {violation.pointer or '/'} "
        f"({folded.count} in all)\nexpected {violation.expected}\ngot {violation.got}\n"
        f"fix: {violation.fix}\nsource: {violation.source}\n{finding.curl}"
    )


def _printable(text: str) -> str:
    """Replace characters that XML cannot hold."""
    return "".join(
        sign if sign in "\t\n" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd"
        or sign >= "\U00010000" else "\ufffd"
        for sign in text
    )  # fmt: skip
