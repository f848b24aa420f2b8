"""The application under another WSGI server: faults that end a connection are a 501."""

import httpx
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from deadringer.mockserver import create_app
from deadringer.mockserver.faults.transport import KINDS
from tests.mockserver.conftest import DEMO, KNOWN
from tests.threads import served

ENDING = {"reset", "truncate", "empty", "hang", "garbage", "wrong-length", "slow-headers"}


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments):
        """Log nothing; the application has a log of its own."""


@pytest.fixture(scope="module")
def url():
    server = make_server("127.0.0.1", 0, create_app(), threaded=True, request_handler=_Quiet)
    with served(server) as address:
        yield address


@pytest.mark.parametrize("kind", sorted(ENDING))
def test_a_fault_that_ends_the_connection_is_a_501(url, kind):
    response = httpx.get(url + KNOWN, headers={**DEMO, "Prefer": f"fault={kind}"})

    error = response.json()["error"]
    assert response.status_code == 501
    assert kind in error["message"]
    assert "deadringer serve" in error["suggestion"]


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - ENDING - {"status", "latency", "drip"}))
def test_other_faults_strike_there_too(url, kind):
    true = httpx.get(url + KNOWN, headers=DEMO)
    response = httpx.get(url + KNOWN, headers={**DEMO, "Prefer": f"fault={kind}"})

    assert response.status_code == 200
    assert (response.content, response.headers["content-type"]) != (
        true.content,
        true.headers["content-type"],
    )
