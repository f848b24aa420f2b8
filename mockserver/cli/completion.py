"""Values that a shell completes: rules, faults, scenarios, recordings, reports, files.

Each function is called by click while the user types, and imports what it needs then.
"""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def rules(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the rules and groups that begin so."""
    from deadringer.contracts.rules import RULES, Group

    return _beginning([*Group, *(rule.name for rule in RULES)], incomplete)


def contract_faults(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the contract faults that begin so."""
    from deadringer.mockserver.faults.contract import CONTRACT_FAULTS

    return _beginning([fault.name for fault in CONTRACT_FAULTS], incomplete)


def violations(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the rules and the contract faults of one execution that begin so."""
    from deadringer.fixtures.edits import EDITS

    offered = [edit for edit in EDITS if edit.takes is not None]
    rules = dict.fromkeys(edit.rule for edit in offered)
    return _beginning([*rules, *(edit.name for edit in offered)], incomplete)


def chaos_profiles(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the chaos profiles that begin so."""
    from deadringer.mockserver.faults.transport import CHAOS

    return _beginning([*CHAOS], incomplete)


def scenarios(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Return the ready scenarios that begin so, or files if none does."""
    from click.shell_completion import CompletionItem

    from deadringer.mockserver.world.scenarios.load import ready_names

    ready = [CompletionItem(name) for name in _beginning([*ready_names()], incomplete)]
    return ready or [CompletionItem(incomplete, type="file")]


def recordings(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the recorded executions that begin so."""
    from deadringer.fixtures import load_recordings

    return _beginning([one.name for one in load_recordings()], incomplete)


def reports(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the formats of reports that begin so, each with a file name to change."""
    from deadringer.contracts.check import FORMATS

    extensions = {"text": "txt", "junit": "xml", "markdown": "md"}
    names = [f"{name}=contract.{extensions.get(name, name)}" for name in FORMATS]
    return _beginning(names, incomplete)


def files(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Let the shell complete a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def folders(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Let the shell complete a folder."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def _beginning(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
