"""The page of runs pages both ways through a long list, filtered or not, and shows its place."""

import re
from html import unescape

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.admin.ui.run_search import PAGE, WIDE_WINDOW, WINDOW
from deadringer.mockserver.app import build_app

RUNS = "/__mock/ui/runs"


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(runs_per_workflow=100_000), clock=clock))


class Shown:
    """One page of the list."""

    def __init__(self, mock, address):
        self._mock = mock
        html = mock.get(address, timeout=60).text
        self.runs = re.findall(r'data-key="([^"]+)"', html)
        self.place = " ".join(
            re.search(r'<p class="muted number">(.*?)</p>', html, re.S)[1].split()
        )
        links = re.findall(r'<a class="button" href="([^"]+)">([^<]+)</a>', html)
        self._links = {label: unescape(href) for href, label in links}

    def __contains__(self, label):
        return label in self._links

    def go(self, label):
        return Shown(self._mock, self._links[label])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=failed",
        "workflow=wf_loop77",
        "workflow=wf_abc123&status=failed",
        "workflow=wf_loop77&text=FAILED",
    ],
)
def test_newer_leads_back_over_the_pages_that_older_led_to(mock, query):
    pages = [Shown(mock, f"{RUNS}?{query}")]
    assert "Newer" not in pages[0]
    for _ in range(3):
        pages.append(pages[-1].go("Older"))
    seen = [run for page in pages for run in page.runs]
    back = [pages[-1]]
    while "Newer" in back[-1]:
        back.append(back[-1].go("Newer"))

    assert len(set(seen)) == len(seen) == 4 * PAGE
    assert [page.runs for page in back] == [page.runs for page in reversed(pages)]


@pytest.mark.slow
def test_a_search_tells_how_far_it_looked_whichever_way_it_goes(mock):
    first = Shown(mock, f"{RUNS}?workflow=wf_abc123&text=no+run+has+this")
    farther = first.go(f"Search {WIDE_WINDOW:,} further")
    reached = WINDOW + WIDE_WINDOW

    assert f"Searched runs 1 to {WINDOW:,} of 100," in first.place
    assert "Older runs were not searched" in first.place
    assert f"Searched runs {WINDOW + 1:,} to {reached:,} of" in farther.place
    newer = farther.go("Newer")
    assert f"Searched runs 1 to {WINDOW:,} of" in newer.place
    assert first.runs == farther.runs == newer.runs == []


def test_the_end_of_the_list_is_told(mock):
    last = Shown(mock, f"{RUNS}?workflow=wf_abc123&text=no+run+has+this&from=99999")

    assert "not searched" not in last.place
    assert "Search further" not in last
    assert "Newer" in last
