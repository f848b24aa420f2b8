"""The report as JUnit XML: one test case for each rule."""

import xml.etree.ElementTree as ET

from deadringer.contracts.check.report import (
    Conclusion,
    Finding,
    Outcome,
    Report,
    RuleResult,
)


def render_junit(report: Report) -> str:
    """Return one test suite with a case for each rule.

    The time of a case is what its rule took, that of the suite the whole check with its requests;
    a property for each phase holds its time. An inconclusive check has one more case, `check`,
    with an error: CI must not read it as passed.
    """
    is_inconclusive = report.conclusion is Conclusion.INCONCLUSIVE
    counts = {
        "name": "deadringer check",
        "tests": str(len(report.results) + is_inconclusive),
        "failures": str(report.count(Outcome.FAILED)),
        "errors": str(int(is_inconclusive)),
        "time": f"{report.elapsed_s:.3f}",
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(
        root,
        "testsuite",
        counts,
        skipped=str(report.count(Outcome.SKIPPED)),
        timestamp=report.started_at.partition(".")[0].rstrip("Z"),
        hostname=_printable(report.base_url),
        id="0",
        package="deadringer",
    )
    _add_properties(suite, report)
    if is_inconclusive:
        names = {"classname": "deadringer", "name": "check", "time": "0.000000"}
        case = ET.SubElement(suite, "testcase", names)
        ET.SubElement(case, "error", message=_printable(report.reason), type="inconclusive")
    for result in report.results:
        _add_case(suite, result)
    ET.SubElement(suite, "system-out").text = _printable("\n".join(report.notes))
    ET.SubElement(suite, "system-err")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_properties(suite: ET.Element, report: Report) -> None:
    values = {
        "conclusion": report.conclusion.value,
        "requests": str(report.requests),
        "seed": str(report.seed),
    }
    if report.reason:
        values["reason"] = report.reason
    values |= {
        f"phase {number}": f"{phase.elapsed_s:.3f} s {phase.name}"
        for number, phase in enumerate(report.phases, 1)
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_printable(value))


def _add_case(suite: ET.Element, result: RuleResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"deadringer.{result.group.value}",
        name=f"{result.rule_id} {result.rule}",
        time=f"{result.elapsed_s:.6f}",
    )
    text = _printable("\n\n".join(_text(finding) for finding in result.findings))
    if result.outcome is Outcome.SKIPPED:
        ET.SubElement(case, "skipped", message=_printable(result.reason))
    elif result.outcome is Outcome.FAILED:
        failure = ET.SubElement(case, "failure", message=_printable(result.title), type="error")
        failure.text = text
    elif result.outcome is Outcome.WARNING:
        ET.SubElement(case, "system-out").text = text


def _text(finding: Finding) -> str:
    example = finding.examples[0]
    violation = example.violation
    return (
        f"{finding.severity.value}: {example.request} at {violation.pointer or '/'} "
        f"({finding.count} in all)\nexpected {violation.expected}\ngot {violation.got}\n"
        f"fix: {violation.fix}\nsource: {violation.source}\n{example.curl}"
    )


def _printable(text: str) -> str:
    """Replace characters that XML cannot hold."""
    return "".join(
        sign if sign in "\t\n" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd"
        or sign >= "\U00010000" else "\ufffd"
        for sign in text
    )  # fmt: skip
