"""The page of situations: what coverage counts, and the lines that produce it."""

from deadringer.contracts import load_specification
from deadringer.contracts.coverage import (
    Address,
    Section,
    Situation,
    coverage_items,
    curl_line,
    situations,
)
from deadringer.mockserver import DEMO_KEY

from .markdown import table

_INTRODUCTION = """\
# Situations

What [coverage](../guides/coverage.md) counts: {operations} operations, {statuses} statuses and
{codes} error codes of `openapi.yaml`, and the {situations} situations on this page. The lines of
each produce it in a mock with default settings; `/__mock/ui/coverage` shows them with the address
of your own.

Any response meets an operation; a complete one meets a status and a code. `Prefer: code=404`
produces any documented status, `Prefer: error=TOKEN_EXPIRED` any documented code."""


def situations_page() -> str:
    """Return a table of all situations, then each of them with its lines."""
    items = coverage_items().values()
    counts = {
        section.value: sum(1 for item in items if item.section is section) for section in Section
    }
    rows = ((f"[`{one.name}`](#{one.name})", one.title) for one in situations())
    parts = [
        _INTRODUCTION.format(**counts),
        table(("Situation", "Meaning"), rows),
        *(_entry(one) for one in situations()),
    ]
    return "\n\n".join(parts) + "\n"


def _entry(situation: Situation) -> str:
    address = Address(load_specification()["servers"][0]["url"], DEMO_KEY)
    lines = [curl_line(step, address) for step in situation.steps]
    return "\n\n".join(
        [
            f"## {situation.name}",
            f"**{situation.title}.** {situation.why}",
            f"Source: {situation.source}.",
            "\n".join(["```sh", *lines, "```"]),
        ]
    )
