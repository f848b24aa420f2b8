"""A stop that is cut short, at any moment of uvicorn's own waiting."""

import logging
import threading
import time

import pytest

from tests.mockserver.server.serving import WAIT_S, served

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize("delay_s", [0.16 + step / 100 for step in range(10)])
def test_a_forced_stop_reports_what_it_breaks_off(delay_s, caplog):
    has_begun, may_end = threading.Event(), threading.Event()

    def stuck(_environ, start_response):
        has_begun.set()
        may_end.wait(WAIT_S)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    with served(stuck) as one, caplog.at_level(logging.WARNING):
        one.connect().sendall(REQUEST)
        assert has_begun.wait(WAIT_S)
        one.server.should_exit = True
        time.sleep(delay_s)
        one.server.force_exit = True
        one.thread.join(WAIT_S)
        may_end.set()

    assert "Broke off 1 connection(s): interrupted again." in caplog.messages
    assert "ASGI callable returned without starting response." not in caplog.messages
