"""Runs that are started while another thread resets their session."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import DEMO

TEST = "/v1/workflows/wf_abc123/test"
LIVE = "/__mock/workflows/wf_abc123/runs"


@pytest.mark.parametrize(("path", "status"), [(TEST, 200), (LIVE, 201)])
def test_a_reset_at_the_same_time_is_no_failure_of_a_start(path, status):
    app = build_app(Settings(rate_limit="off", log_format="off"))

    def start(_number):
        return app.test_client().post(path, headers=DEMO).status_code

    def reset(_number):
        return app.test_client().post("/__mock/reset").status_code

    with ThreadPoolExecutor(6) as pool:
        pairs = [(pool.submit(start, n), pool.submit(reset, n)) for n in range(150)]

    assert {started.result() for started, _ in pairs} == {status}
    assert {ended.result() for _, ended in pairs} == {200}
