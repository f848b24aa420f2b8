"""Prints docs/contract-faults.md: `python -m deadringer.mockserver.faults.contract.docs`."""

import sys
from itertools import groupby

from . import CONTRACT_FAULTS

INTRODUCTION = """# Contract faults

Named, realistic bugs a backend could ship. Each breaks at least one promise of the contract:

    deadringer serve --break duration-in-seconds --break no-key-needed

A frontend developer sees how a page survives them; `make mutation` proves that
`deadringer check` finds every one. This page is written by
`python -m deadringer.mockserver.faults.contract.docs`.
"""


def page() -> str:
    """Give the page as markdown."""
    lines = [INTRODUCTION]
    ordered = sorted(CONTRACT_FAULTS, key=lambda fault: fault.breaks)
    for group, faults in groupby(ordered, key=lambda fault: fault.breaks):
        lines += [f"## {group}\n", "| fault | the bug | promise it breaks |", "|---|---|---|"]
        for fault in faults:
            note = " (a warning)" if fault.severity == "warning" else ""
            note += ", needs `--allow-writes`" if fault.needs_writes else ""
            lines.append(f"| `{fault.name}` | {fault.story} | `{fault.rule}`{note} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
