"""`deadringer check` on a terminal and in a pipe: the same text, but for colors and progress."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deadringer.mockserver.cli.terminal import wants_color
from tests.contracts.check.small_server import EXECUTIONS, KEY, send_seconds, serving
from tests.mockserver.cli.ptys import in_a_pipe, on_a_terminal

pty = pytest.importorskip("pty", reason="Windows has no such terminals")

WORKFLOW, RUN = next(
    ids for ids, one in EXECUTIONS.items() if one["status"] == "completed" and one["duration_ms"]
)
COLOR = re.compile(r"\x1b\[[\d;]*m")
LINE = re.compile(r"\r\x1b\[2K([^\r\x1b\n]*)")
"""The progress line, each time it is drawn."""


@pytest.fixture(scope="module")
def arguments() -> Iterator[list[str]]:
    """The arguments of a short check of a server that breaks one rule."""
    with serving(send_seconds) as server:
        ids = ["--workflow", WORKFLOW, "--run", RUN, "--watch", "0", "--quick"]
        only = ["--only", "time", "--only", "auth"]
        yield ["check", server.url, "--api-key", KEY, *ids, *only]


def without_times(text: str) -> str:
    return re.sub(r"in \d+\.\d s", "in 0.1 s", text)


def test_a_terminal_gets_what_failed_first_and_the_progress_is_gone(arguments: list[str]) -> None:
    code, drawn = on_a_terminal(*arguments)
    progress = LINE.findall(drawn)
    text = COLOR.sub("", LINE.sub("", drawn))

    assert code == 1
    assert progress[0] == "… discovering workflows and runs"
    assert progress[-1] == ""
    assert drawn.rindex("\r\x1b[2K") < drawn.index("FAILED")
    first, blank, failed = text.splitlines()[:3]
    assert re.fullmatch(r"FAILED http://127\.0\.0\.1:\d+: 1 rule failed, \d+ passed", first)
    assert (blank, failed.partition(" (")[0]) == ("", "FAILED DR019 duration_is_end_minus_start")
    assert "passed  DR" not in text
    assert "\x1b[1;31mFAILED" in drawn


def test_a_pipe_gets_the_same_text_without_colors_and_progress(arguments: list[str]) -> None:
    _, drawn = on_a_terminal(*arguments, columns=200)
    piped = in_a_pipe(*arguments)

    assert (piped.returncode, piped.stderr) == (1, "")
    assert without_times(piped.stdout) == without_times(COLOR.sub("", LINE.sub("", drawn)))


@pytest.mark.slow
def test_a_narrow_terminal_is_not_drawn_over(arguments: list[str]) -> None:
    _, drawn = on_a_terminal(*arguments, columns=20)

    assert {len(line) < 20 for line in LINE.findall(drawn)} == {True}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "variables", "is_colored"),
    [
        ([], {"NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
    ],
)
def test_options_and_variables_decide_about_colors(
    arguments: list[str], options: list[str], variables: dict[str, str], is_colored: bool
) -> None:
    code, drawn = on_a_terminal(*arguments, *options, **variables)

    assert code == 1
    assert bool(COLOR.search(drawn)) is is_colored


@pytest.mark.slow
def test_a_pipe_gets_colors_where_they_are_asked_for(arguments: list[str]) -> None:
    assert COLOR.search(in_a_pipe(*arguments, FORCE_COLOR="1").stdout)
    assert COLOR.search(in_a_pipe(*arguments, "--color", "always").stdout)


def test_a_reader_that_closes_the_pipe_changes_no_exit_code(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "deadringer", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(timeout=60) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.fixture
def terminal() -> Iterator[io.TextIOWrapper]:
    """A stream to a terminal."""
    watched, terminal = pty.openpty()
    with open(terminal, "w", encoding="utf-8") as stream:  # noqa: PTH123 - no path, a number
        yield stream
    os.close(watched)


@pytest.mark.parametrize(
    ("choice", "environ", "on_terminal", "in_file"),
    [
        ("auto", {}, True, False),
        ("auto", {"NO_COLOR": ""}, True, False),
        ("auto", {"NO_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "1"}, True, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {"FORCE_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("auto", {"TERM": "dumb"}, False, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        ("never", {"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_who_decides_about_colors(
    terminal: io.TextIOWrapper,
    choice: str,
    environ: dict[str, str],
    on_terminal: bool,
    in_file: bool,
) -> None:
    assert wants_color(choice, terminal, environ) is on_terminal
    assert wants_color(choice, io.StringIO(), environ) is in_file
