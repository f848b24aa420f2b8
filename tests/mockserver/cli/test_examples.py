"""`deadringer examples` lists the recorded executions and prints one."""

import json

import pytest

from deadringer.fixtures import load_recordings
from tests.mockserver.cli import deadringer, deadringer_process


def test_the_list_has_name_status_and_story_of_each() -> None:
    lines = deadringer("examples").stdout.decode().splitlines()

    assert len(lines) == len(load_recordings())
    for line, recording in zip(lines, load_recordings(), strict=True):
        name, status, story = line.split(maxsplit=2)
        assert (name, status) == (recording.name, recording.execution["status"])
        assert story == recording.story


@pytest.mark.parametrize("recording", load_recordings()[:2], ids=lambda one: one.name)
def test_a_name_prints_that_execution(recording: object) -> None:
    assert json.loads(deadringer("examples", recording.name).stdout) == recording.execution


def test_text_of_every_script_stays_readable() -> None:
    assert "\\u" not in deadringer("examples", "many_scripts_and_emoji").stdout.decode()


def test_an_envelope_is_the_answer_of_the_api() -> None:
    response = json.loads(deadringer("examples", "happy_branch", "--envelope").stdout)

    assert (response["success"], response["data"]["status"]) == (True, "completed")


def test_what_is_printed_keeps_the_contract() -> None:
    printed = deadringer_process("examples", "loop_over_commenters").stdout

    validated = deadringer("validate", "-", stdin=printed)
    assert validated.stdout == b"1 document(s): 0 error(s), 0 warning(s)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hapy_branch"], "no example 'hapy_branch'. Did you mean happy_branch?"),
        (["zzzz"], "no example 'zzzz'. `deadringer examples` lists all"),
        (["--envelope"], "--envelope needs a NAME."),
    ],
)
def test_a_refusal_says_how_to_fix_it(arguments: list[str], message: str) -> None:
    done = deadringer("examples", *arguments)

    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
