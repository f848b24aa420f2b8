"""Under GitHub Actions a check prints annotations and adds to the summary of the step."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from deadringer.contracts import Severity, specification_text, workflow_command
from deadringer.contracts.check import Conclusion, Outcome, annotated, render_text
from tests.contracts.check.test_text_report import BROKEN, DOUBTED, PASSED, finding, report, result

ACTIONS = {"GITHUB_ACTIONS": "true"}


def commands(text: str) -> list[str]:
    """Return the workflow commands that GitHub executes in a text, as its runner reads it."""
    found, token = [], None
    for line in text.splitlines():
        command = line.strip()
        if token is not None:
            token = None if command == f"::{token}::" else token
        elif command.startswith("::stop-commands::"):
            token = command.removeprefix("::stop-commands::")
        elif command.startswith("::") or "##[" in command:
            found.append(command)
    return found


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": ""}, {"GITHUB_ACTIONS": "false"}])
def test_elsewhere_the_text_stays_as_it_is(environ: dict[str, str]) -> None:
    assert annotated("text\n", report(BROKEN), environ) == "text\n"


def test_each_rule_with_findings_is_annotated_those_that_fail_first() -> None:
    checked = report(*PASSED, DOUBTED, BROKEN)
    text = annotated(render_text(checked), checked, ACTIONS)

    assert render_text(checked) in text
    message = (
        "GET /v1/workflows -> 200 at /data/x: expected 4320, got 4.%0AFix: send milliseconds.%0A"
        'Repeat: curl -i -H "x-api-key: $DEADRINGER_API_KEY" http://127.0.0.1:1/v1/workflows'
    )
    assert commands(text) == [
        f"::error title=DR019 breaks::What breaks requires.%0A{message}",
        f"::warning title=DR019 doubts::What doubts requires.%0A{message}",
    ]


def test_a_warning_that_fails_the_check_is_an_error() -> None:
    checked = report(DOUBTED, fail_on=Severity.WARNING, conclusion=Conclusion.FAILED)

    (command,) = commands(annotated("", checked, ACTIONS))
    assert command.startswith("::error title=DR019 doubts::")


def test_an_accepted_finding_is_a_warning_that_says_so() -> None:
    accepted = result("breaks", Outcome.WARNING, finding("breaks", accepted=True))

    (command,) = commands(annotated("", report(accepted), ACTIONS))
    assert command.startswith("::warning ")
    assert command.endswith("%0AAccepted by the baseline.")


def test_an_inconclusive_check_is_an_error_with_its_reason() -> None:
    checked = report(conclusion=Conclusion.INCONCLUSIVE, reason="unreachable: refused. Start it.")

    assert commands(annotated("", checked, ACTIONS)) == [
        "::error title=deadringer check%3A inconclusive::unreachable: refused. Start it."
    ]


def test_no_more_annotations_are_printed_than_github_shows() -> None:
    ten = [replace(BROKEN, rule=f"breaks_{number}") for number in range(10)]
    many = [replace(BROKEN, rule=f"breaks_{number}") for number in range(12)]

    assert len(commands(annotated("", report(*ten), ACTIONS))) == 10
    found = commands(annotated("", report(*many), ACTIONS))
    assert len(found) == 10
    assert (
        found[-1] == "::error title=3 more rules::DR019 breaks_9, DR019 breaks_10, DR019 breaks_11"
    )


def test_nothing_a_server_sent_acts_as_a_command() -> None:
    hostile = "x\n::set-env name=PATH::/tmp\r\n##[error]y%0A::error::z"
    example = BROKEN.findings[0].examples[0]
    violation = replace(example.violation, got=hostile, pointer=f"/{hostile}", fix=hostile)
    example = replace(example, violation=violation, request=hostile, curl=hostile)
    broken = replace(BROKEN, findings=(replace(BROKEN.findings[0], examples=(example,)),))
    checked = report(broken, notes=(hostile,))

    for verbose in (False, True):
        text = annotated(render_text(checked, verbose=verbose), checked, ACTIONS)
        (command,) = commands(text)
        assert command.startswith("::error title=DR019 breaks::")
        assert "%0A::set-env name=PATH::/tmp%0D%0A" in command
        assert "%250A::error::z" in command


def test_each_token_is_another() -> None:
    tokens = {
        re.findall(r"::stop-commands::(\w{32})\n", annotated("", report(), ACTIONS))[0]
        for _ in range(3)
    }

    assert len(tokens) == 3


def test_a_file_is_named_only_where_it_is_the_contract_itself(tmp_path: Path) -> None:
    def properties(workspace: str) -> str:
        environ = {**ACTIONS, "GITHUB_WORKSPACE": workspace}
        (command,) = commands(annotated("", report(BROKEN), environ))
        return command.split("::")[1]

    nowhere = properties(str(tmp_path))
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    other = properties(str(tmp_path))
    (tmp_path / "openapi.yaml").write_text(specification_text(), "utf-8")
    same = properties(str(tmp_path))

    assert nowhere == other == properties("") == "error title=DR019 breaks"
    place, title = same.rsplit(",", 1)
    assert re.fullmatch(r"error file=openapi\.yaml,line=\d+,endLine=\d+", place)
    assert title == "title=DR019 breaks"
    line = int(re.findall(r",line=(\d+)", same)[0])
    assert specification_text().splitlines()[line - 1].strip() == '"200":'


def test_a_command_is_escaped_as_github_documents_it() -> None:
    assert (
        workflow_command("error", "50% a:b,\r\nc", title="a:b,%\n", line=3)
        == "::error title=a%3Ab%2C%25%0A,line=3::50%25 a:b,%0D%0Ac"
    )
    assert workflow_command("endgroup", "") == "::endgroup::"
    workflow_command("error", "\ud800", title="\ud800").encode()


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\u202e", "\u2066", "\u2028", "\ufeff"])
def test_a_command_holds_nothing_that_controls_a_terminal_or_reorders_a_line(sign: str) -> None:
    line = workflow_command("error", f"a{sign}b\tc", title=sign)

    assert line == f"::error title=\\u{ord(sign):04x}::a\\u{ord(sign):04x}b\tc"
