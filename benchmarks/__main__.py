"""`python -m benchmarks [serve|generate|validate|all] [--quick]`: measure, print, store results."""

import argparse
import sys
from collections.abc import Callable

from . import generating, places, serving, validating
from .budget import Budget, full, quick
from .installing import install_peers
from .report import page, write_page, write_summary
from .serving import MissingToolError, Report

PARTS: dict[str, tuple[str, Callable[[Budget], Report]]] = {
    "serve": ("Serving, side by side", serving.measure),
    "generate": ("Generating, side by side", generating.measure),
    "validate": ("Validating", validating.measure),
}


def main() -> int:
    """Run the requested benchmarks; print a quick run, store a full one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="?", choices=[*PARTS, "all"], default="all")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, without storing results"
    )
    requested = parser.parse_args()
    budget = quick() if requested.quick else full()
    for reason in install_peers() if requested.part != "validate" else ():
        print(f"benchmarks: {reason}", file=sys.stderr)
    reports = []
    for name, (title, measure) in PARTS.items():
        if requested.part not in (name, "all"):
            continue
        try:
            reports.append(measure(budget))
        except MissingToolError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
        text = page(title, reports[-1], is_quick=requested.quick)
        print(text)
        if not requested.quick:
            write_page(places.RESULTS / f"{name}.md", text)
    if requested.part == "all" and not requested.quick:
        write_summary(reports)
    budget.announce("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
