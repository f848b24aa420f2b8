"""What our server uses of uvicorn: the oldest and the newest allowed version have all of it."""

import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl

from tests.project import ROOT

CONFIG = (
    *("app", "interface", "http", "ws", "lifespan", "workers", "log_config", "log_level"),
    *("access_log", "proxy_headers", "server_header", "date_header", "backlog"),
    *("timeout_keep_alive", "timeout_graceful_shutdown", "ssl_certfile", "ssl_keyfile"),
    "h11_max_incomplete_event_size",
)
SERVER = ("handle_exit", "startup", "shutdown", "run")
PROTOCOL = (
    *("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing"),
    *("resume_writing", "on_response_complete", "shutdown", "send_400_response"),
    "timeout_keep_alive_handler",
)
PARSED = (
    *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body"),
    "on_message_complete",
)
CYCLE = ("disconnected", "keep_alive", "message_event", "more_body", "response_complete", "scope")
CONNECTION = (
    *("transport", "flow", "client", "loop", "connections", "cycle", "timeout_keep_alive_task"),
)


def test_uvicorn_has_every_name_that_the_server_uses():
    assert set(CONFIG) <= set(inspect.signature(uvicorn.Config).parameters)
    assert all(hasattr(uvicorn.Server, name) for name in SERVER)
    for protocol in (httptools_impl.HttpToolsProtocol, h11_impl.H11Protocol):
        assert all(hasattr(protocol, name) for name in PROTOCOL)
        source = inspect.getsource(protocol)
        assert [name for name in CONNECTION if f"self.{name}" not in source] == []
        arguments = list(inspect.signature(protocol).parameters)
        assert arguments == ["config", "server_state", "app_state", "_loop"]
    for module in (httptools_impl, h11_impl):
        source = inspect.getsource(module.RequestResponseCycle)
        assert [name for name in CYCLE if f"self.{name}" not in source] == []
    assert all(hasattr(httptools_impl.HttpToolsProtocol, name) for name in PARSED)
    assert "self.pipeline.appendleft((self.cycle, app))" in inspect.getsource(httptools_impl)
    assert "state" in inspect.getsource(httptools_impl.HttpToolsProtocol.on_message_begin)


def test_httptools_is_named_only_where_uvicorn_is_configured():
    found = {
        str(path.relative_to(ROOT))
        for room in ("contracts", "fixtures", "mockserver", "package", "benchmarks")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"^\s*(from|import) httptools|httptools_impl", path.read_text("utf-8"), re.M)
    }

    assert found == {"mockserver/server/protocol.py"}


@pytest.mark.slow
def test_the_oldest_allowed_uvicorn_serves_as_the_newest_does(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (oldest,) = (
        re.match(r"uvicorn>=([0-9.]+),<", one)[1]
        for one in project["dependencies"]
        if one.startswith("uvicorn")
    )
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", str(tmp_path)]
    subprocess.run([*install, f"uvicorn=={oldest}.0"], check=True, timeout=300)
    tests = [str(Path(__file__).with_name(name)) for name in ("test_protocol.py", "test_limits.py")]
    chosen = [f"{__file__}::test_uvicorn_has_every_name_that_the_server_uses", *tests]
    message = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert message.returncode == 0, message.stdout[-3000:]
