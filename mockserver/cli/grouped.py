"""Options in sections of --help, each with its default and its environment variable."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import click

_TOGETHER = "\xa0"
"""A space at which no line ends, until the text is laid out."""
OTHERS = "Other"
"""The section of --help itself, and of options without one."""


class Option(click.Option):
    """An option that stands in a section of --help.

    --help shows its default and its environment variable, where it has them.
    """

    def __init__(self, *declarations: Any, section: str = OTHERS, **attributes: Any) -> None:
        attributes = {"show_default": True, "show_envvar": True, **attributes}
        super().__init__(*declarations, **attributes)
        self.section = section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the spelling, and the help with default and variable."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        extra = self.get_help_extra(ctx)
        shown = []
        if "default" in extra:
            shown.append(f"[default:{_TOGETHER}{_plain(extra['default'])}]")
        if "envvars" in extra:
            shown.append(f"[env:{_TOGETHER}{', '.join(extra['envvars'])}]")
        return record[0], "  ".join([self.help or "", *shown])


def _plain(default: str) -> str:
    """Return a default without the brackets of a text, and a whole number without its .0."""
    text = re.sub(r"^\((.*)\)$", r"\1", default)
    return text.removesuffix(".0") if re.fullmatch(r"\d+\.0", text) else text


class Command(click.Command):
    """A command whose --help lists the options by section, in the order they are declared."""

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, laid out for the terminal."""
        return super().get_help(ctx).replace(_TOGETHER, " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        for section, options in self.sections(ctx).items():
            with formatter.section(section):
                formatter.write_dl([*_records(options, ctx)])

    def sections(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """Return the options by section; that of --help comes last."""
        found: dict[str, list[click.Option]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and not option.hidden:
                found.setdefault(getattr(option, "section", OTHERS), []).append(option)
        others = found.pop(OTHERS, [])
        return {**found, OTHERS: others} if others else found


def _records(options: list[click.Option], ctx: click.Context) -> Iterator[tuple[str, str]]:
    for option in options:
        record = option.get_help_record(ctx)
        if record is not None:
            yield record


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def section(title: str) -> Callable[..., Callable[[Decorated], Decorated]]:
    """Return `click.option` for the options of one section."""
    return partial(click.option, cls=Option, section=title)
