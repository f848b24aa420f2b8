"""Generate the page docs/reference/contract-faults.md."""

from itertools import groupby

from . import CONTRACT_FAULTS

INTRODUCTION = """# Contract faults

A contract fault is a realistic bug that a backend could ship. Each violates at least one rule:

    deadringer serve --break duration-in-seconds --break no-key-needed

A frontend developer sees how a page behaves; `make mutation` runs `deadringer check` against each
and prints the rules that found it. [Make requests fail](../guides/faults.md) shows other ways to
switch them on.
Faults in one execution are also available as documents, without a server:

    deadringer generate -n 100 --violating duration-in-seconds
"""


def page() -> str:
    """Return the page as markdown."""
    lines = [INTRODUCTION]
    ordered = sorted(CONTRACT_FAULTS, key=lambda fault: fault.group)
    for group, faults in groupby(ordered, key=lambda fault: fault.group):
        lines += [f"## {group}\n", "| fault | the bug | rule it violates |", "|---|---|---|"]
        for fault in faults:
            remarks = " (a warning)" if fault.severity == "warning" else ""
            remarks += ", needs `--allow-writes`" if fault.needs_writes else ""
            lines.append(f"| `{fault.name}` | {fault.story} | `{fault.rule}`{remarks} |")
        lines.append("")
    return "\n".join(lines)
