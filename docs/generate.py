"""Write the generated pages of the documentation: `python -m docs.generate`.

Each page is a function without arguments that returns Markdown; `PAGES` names the file of each. The
pages are checked in, and `tests/project/test_docs.py` compares them with what this module returns.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deadringer.contracts.rules import combinations
from deadringer.contracts.rules import page as rules
from deadringer.mockserver.faults.contract import docs as contract_faults

from .pages.command_line import cli_page, settings_page
from .pages.control_api import control_page, transport_faults_page
from .pages.python_api import python_page
from .pages.situations import situations_page

DOCS = Path(__file__).resolve().parent
CONFIGURATION = DOCS.parent / "mkdocs.yml"


def navigation() -> list[str]:
    """Return the pages that the navigation reaches, in its order."""
    return list(_leaves(yaml.safe_load(CONFIGURATION.read_text("utf-8"))["nav"]))


def _leaves(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for one in part.values():
            yield from _leaves(one)
    else:
        for one in part:
            yield from _leaves(one)


def llms_page() -> str:
    """Return `llms.txt`: a link and one line for each page, in the order of the navigation."""
    lines = [
        "# deadringer",
        "",
        (
            "> A mock server and contract-testing kit for one API: the Execution Detail endpoint "
            "of a workflow-automation service."
        ),
    ]
    section = None
    for page in navigation():
        folder = page.rpartition("/")[0]
        if folder != section:
            section = folder
            lines += ["", f"## {(folder or 'Start').capitalize()}", ""]
        title, line = _summary((DOCS / page).read_text("utf-8"))
        lines.append(f"- [{title}]({page}): {line}")
    return "\n".join(lines) + "\n"


def _summary(text: str) -> tuple[str, str]:
    """Return the title of a page, and the first sentence below it without its links."""
    title, _, rest = text.partition("\n")
    paragraph = " ".join(rest.strip().partition("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]
    return title.removeprefix("# "), re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence)


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli_page,
    "reference/settings.md": settings_page,
    "reference/control-api.md": control_page,
    "reference/rules.md": rules.page,
    "reference/combinations.md": combinations.page,
    "reference/contract-faults.md": contract_faults.page,
    "reference/transport-faults.md": transport_faults_page,
    "reference/situations.md": situations_page,
    "reference/python.md": python_page,
    "llms.txt": llms_page,
}
"""File below `docs/` to the function that returns it; `llms.txt` is last and reads the others."""


def write() -> None:
    """Write every generated page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(write())
