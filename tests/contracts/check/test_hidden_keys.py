"""A report never contains the key, for any request and response."""

from deadringer.contracts.check import FORMATS, CheckOptions, run_check
from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mutation.servers import serving

KEY = "trig_0123456789abcdefghij"


def test_no_format_of_a_report_tells_the_key_or_one_near_it() -> None:
    faults = ("key-in-query", "key-prefix-is-enough", "key-echoed")
    with serving(build_app(Settings(api_keys=(KEY,), breaks=faults))) as url:
        report = run_check(CheckOptions(url, KEY, only=("auth",), quick=True))

    assert len([one for one in report.results if one.findings]) >= 2
    for name, render in FORMATS.items():
        assert KEY[:-1] not in render(report), name
