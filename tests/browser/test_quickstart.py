"""The page of the frontend quickstart shows the failed run, opened as a file."""

from pathlib import Path

from tests.project import ROOT
from tests.project.console import documented_files

QUICKSTART = (ROOT / "docs" / "quickstart" / "frontend.md").read_text("utf-8")


def test_the_page_of_the_quickstart_shows_the_failed_run(browser, mock, tmp_path: Path) -> None:
    text = documented_files(QUICKSTART)["page.html"]
    assert "http://127.0.0.1:4010" in text
    page = tmp_path / "page.html"
    page.write_text(text.replace("http://127.0.0.1:4010", mock), "utf-8")

    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(page.as_uri())
        opened.get_by_text("failed", exact=True).wait_for()

        assert opened.inner_text("#error") == "Step 'Enrich profile' failed: profile not found"
