"""What `deadringer` shows of its commands, and what a shell completes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from deadringer.mockserver.cli import SUBCOMMANDS, main
from deadringer.mockserver.cli.grouped import OTHERS, Command
from tests.project import ROOT
from tests.project.console import environment

CONTEXT = click.Context(main, info_name="deadringer")
PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")


def command(name: str) -> Command:
    found = main.get_command(CONTEXT, name)
    assert isinstance(found, Command)
    return found


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments], prog_name="deadringer")
    assert done.exit_code == 0
    return done.stdout


def test_the_command_alone_lists_the_commands_by_section_with_one_line_each() -> None:
    text = shown()

    sections = dict(re.findall(r"^(\w+):\n((?:  .+\n)+)", text, re.MULTILINE))
    assert list(sections) == ["Mock", "Check", "Data", "Options"]
    listed = [
        line.split()[0] for name in list(sections)[:3] for line in sections[name].splitlines()
    ]
    assert listed == list(SUBCOMMANDS)
    assert max(map(len, text.splitlines())) <= 80
    assert text == shown("--help") == shown("-h")


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(option: str) -> None:
    from importlib.metadata import version

    assert shown(option) == f"deadringer {version('deadringer')}\n"


def test_an_unknown_command_names_the_nearest() -> None:
    done = CliRunner().invoke(main, ["chek"], prog_name="deadringer")

    assert done.exit_code == 2
    assert "There is no command 'chek'. Did you mean check?" in done.stderr


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_option_stands_in_a_section_and_has_a_meaning(name: str) -> None:
    one = command(name)
    context = click.Context(one, info_name=name, parent=CONTEXT)
    sections = one.sections(context)

    (help_option,) = sections.pop(OTHERS)
    assert "--help" in help_option.opts
    assert sections
    for option in (option for options in sections.values() for option in options):
        assert re.fullmatch(r"[A-Z`a-z].+[.]", option.help or "", re.DOTALL), option.name
    text = shown(name, "--help")
    assert [title for title in sections if f"\n{title}:\n" not in text] == []
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_default_and_variable_is_shown(name: str) -> None:
    one = command(name)
    context = click.Context(one, info_name=name, parent=CONTEXT, default_map={})
    text = " ".join(shown(name, "--help").split())

    for option in one.params:
        if not isinstance(option, click.Option):
            continue
        if option.envvar:
            assert f"[env: {option.envvar}]" in text
        default = option.get_default(context)
        if isinstance(default, (int, float, str)) and not isinstance(default, bool):
            shown_default = option.show_default if isinstance(option.show_default, str) else default
            assert f"[default: {shown_default}".removesuffix(".0") in text


# Completion


def completed(*words: str) -> list[str]:
    """Return what a shell offers for the last word."""
    *before, incomplete = words
    complete = ShellComplete(main, {}, "deadringer", "_DEADRINGER_COMPLETE")
    return [item.value for item in complete.get_completions(before, incomplete)]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["v"], ["validate", "view"]),
        (["check", "--base"], ["--baseline", "--baseline-update"]),
        (["check", "http://x", "--only", "rate"], ["rate-limit", "rate_limit_values_fit"]),
        (["check", "http://x", "--report", "j"], ["json=contract.json", "junit=contract.xml"]),
        (["check", "http://x", "--color", "a"], ["auto", "always"]),
        (["serve", "--break", "duration-in"], ["duration-in-seconds"]),
        (["serve", "--chaos", "fl"], ["flaky-mobile"]),
        (["serve", "--scenario", "quiet"], ["quiet-day"]),
    ],
)
def test_a_shell_completes_commands_options_and_values(
    words: list[str], offered: list[str]
) -> None:
    assert set(offered) <= set(completed(*words))
    assert all(one.startswith(words[-1]) for one in completed(*words))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["validate", "fix"], "file"),
        (["serve", "--fixtures", "fix"], "dir"),
        (["serve", "--scenario", "./mine"], "file"),
        (["check", "http://x", "--baseline", "c"], "file"),
    ],
)
def test_a_shell_completes_files_where_they_are_wanted(words: list[str], kind: str) -> None:
    complete = ShellComplete(main, {}, "deadringer", "_DEADRINGER_COMPLETE")

    assert {one.type for one in complete.get_completions(words[:-1], words[-1])} == {kind}


def test_completing_a_command_loads_none() -> None:
    code = (
        "import sys; from click.shell_completion import ShellComplete;"
        "from deadringer.mockserver.cli import main;"
        "ShellComplete(main, {}, 'deadringer', 'X').get_completions([], '');"
        "print([name for name in sys.modules if name.startswith('deadringer.contracts')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


def documented(shell: str) -> str:
    """Return the line of the page that sets up completion in a shell."""
    (line,) = re.findall(rf"^.*_DEADRINGER_COMPLETE={shell}_source deadringer.*[\")e]$", PAGE, re.M)
    return str(line)


def bash_offers(setup: str, *words: str, folder: Path) -> list[str]:
    """Return what bash offers after a line of setup, asked as bash asks."""
    script = (
        f"{setup}\n"
        f"COMP_WORDS=({' '.join(words)})\nCOMP_CWORD={len(words) - 1}\n"
        'function=$(complete -p deadringer | sed "s/.*-F \\([^ ]*\\) .*/\\1/")\n'
        '"$function" deadringer 2>/dev/null\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env={**environment(), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_documented_lines_make_bash_complete(tmp_path: Path) -> None:
    written = re.findall(r"^_DEADRINGER_COMPLETE=bash_source deadringer > .+$", PAGE, re.MULTILINE)
    (to_file,) = written
    file = to_file.rpartition(" > ")[2]

    assert bash_offers(documented("bash"), "deadringer", "ch", folder=tmp_path) == ["check"]
    assert "--quick" in bash_offers(
        f"{to_file}\n. {file}", "deadringer", "check", "--qu", folder=tmp_path
    )


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_documented_lines_load_a_script_in_other_shells(shell: str, tmp_path: Path) -> None:
    """The script is written without the shell; where the shell exists, it accepts it."""
    line = documented(shell)
    made = subprocess.run(
        [sys.executable, "-m", "deadringer"],
        env={**environment(), "_DEADRINGER_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert "_DEADRINGER_COMPLETE=" + shell in line
    assert f"_DEADRINGER_COMPLETE={shell}_complete" in made
    if shutil.which(shell):
        setup = f"autoload -U compinit; compinit; {line}" if shell == "zsh" else line
        subprocess.run(
            [shell, "-c", setup],
            check=True,
            timeout=60,
            env={**environment(), "HOME": str(tmp_path)},
        )
