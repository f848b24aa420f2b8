"""Check a page with axe-core."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "axe" / "axe.min.js"
_GRAVE = {"serious", "critical"}


def grave_findings(page: Page) -> list[str]:
    """Return the serious and critical findings, each with the elements concerned."""
    page.evaluate(_AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:5]}"
        for one in found["violations"]
        if one["impact"] in _GRAVE
    ]
