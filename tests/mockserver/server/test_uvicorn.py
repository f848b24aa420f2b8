"""What our server uses of uvicorn, and why; the oldest and the newest allowed version have it all.

Documented is how uvicorn is configured and run, and that `http` may be a protocol class. The rest
are names of its classes, which this test holds: nothing else is used, and nothing here is not.
"""

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl

from tests.project import ROOT

SERVER_SOURCE = ROOT / "mockserver" / "server"
CONFIG = (
    *("app", "interface", "http", "ws", "lifespan", "workers", "log_config", "log_level"),
    *("access_log", "proxy_headers", "server_header", "date_header", "backlog"),
    *("timeout_keep_alive", "timeout_graceful_shutdown", "ssl_certfile", "ssl_keyfile"),
    "h11_max_incomplete_event_size",
)
SERVER = {
    "run": "serves the sockets that are passed",
    "startup": "the banner follows it",
    "shutdown": "before it, all is read that has arrived; beside it, slow requests are ended",
    "servers": "are closed before the last look for connections",
    "should_exit": "stops the server",
    "force_exit": "a second Ctrl-C; uvicorn then waits no longer",
    "handle_exit": "Ctrl-C that comes twice within a moment is one",
    "server_state": "its `connections`, to end those that take too long",
}
PROTOCOL = {
    **dict.fromkeys(
        ("connection_made", "connection_lost", "data_received", "eof_received"),
        "asyncio.Protocol",
    ),
    **dict.fromkeys(("pause_writing", "resume_writing"), "asyncio.Protocol: a client reads slowly"),
    "transport": "refusals and faults are written to it, and close or reset it",
    "loop": "the time, and one timer for every limit of time",
    "client": "who is named in the log, and in the environ",
    "connections": "how many there are",
    "scope": "method and headers of the request that arrives",
    "cycle": "the request that arrives: see CYCLE",
    "on_response_complete": "then a refusal that waits is sent, or a stop goes on",
    "shutdown": "a stop; what has begun to arrive is finished",
    "send_400_response": "refusals have the documented JSON body",
    "timeout_keep_alive_handler": "ours looks at every limit of time",
    "timeout_keep_alive_task": "uvicorn leaves it running where a client resets the connection",
}
HTTPTOOLS = {
    **dict.fromkeys(
        (
            *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body"),
            "on_message_complete",
        ),
        "called by the parser (httptools documents them)",
    ),
    "parser": "made anew, without leniencies, and where a method or an offer stops it",
    "headers": "the headers that were read so far",
    "url": "the target, which uvicorn's own parser of URLs is not to see",
}
H11 = {"conn": "what of a request is arriving (h11 documents its states)"}
CYCLE = {
    "disconnected": "ends the request: there is a refusal instead of a response",
    "message_event": "wakes the gateway, which then sees that",
}
H11_CYCLE = {
    "more_body": "whether its body is whole; where h11 met an error, its state does not show",
    "response_complete": "whether the next request may be read",
}


TESTS = ("test_protocol.py", "test_limits.py", "test_broken_off.py")


def names_of(class_):
    """Return the methods and attributes of a class of uvicorn."""
    found = set(vars(class_)) | set(re.findall(r"self\.(\w+)(?:: [^=\n]+)? = ", source_of(class_)))
    return {name for name in found if not re.fullmatch(r"__\w+__|_abc_impl", name)}


def source_of(class_):
    return inspect.getsource(class_)


def parsed(file):
    """Parse a file in a thread: in one that has run a browser, CPython 3.11's parser may fail."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ast.parse, (SERVER_SOURCE / file).read_text("utf-8")).result()


def used_in(*files):
    """Return the attributes that are named in files of our server: of the object, and of cycles."""
    own, cycles = set(), set()
    for file in files:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef):
                own |= {one.name for one in node.body if hasattr(one, "name")}
            if isinstance(node, ast.Attribute):
                of = ast.unparse(node.value)
                if of in {"self", "super()"}:
                    own.add(node.attr)
                elif of in {"self.cycle", "cycle"}:
                    cycles.add(node.attr)
    return own, cycles


@pytest.mark.parametrize(
    ("protocol", "file", "own_names", "own_cycle"),
    [
        (httptools_impl.HttpToolsProtocol, "protocol.py", HTTPTOOLS, {}),
        (h11_impl.H11Protocol, "plain.py", H11, H11_CYCLE),
    ],
    ids=["httptools", "h11"],
)
def test_uvicorn_has_every_name_that_a_connection_uses(protocol, file, own_names, own_cycle):
    used, cycles = used_in("connection.py", file)
    cycle = inspect.getmodule(protocol).RequestResponseCycle

    assert names_of(protocol) & used == PROTOCOL.keys() | own_names.keys()
    assert names_of(cycle) & cycles == CYCLE.keys() | own_cycle.keys() == cycles
    arguments = list(inspect.signature(protocol).parameters)
    assert arguments == ["config", "server_state", "app_state", "_loop"]


def test_uvicorn_has_every_name_that_a_server_uses():
    used, _ = used_in("run.py")

    assert set(CONFIG) <= set(inspect.signature(uvicorn.Config).parameters)
    assert (names_of(uvicorn.Server) & used) | {"run"} == SERVER.keys()
    assert "self.connections" in source_of(uvicorn.server.ServerState)
    assert {one.name for one in uvicorn.server.HANDLED_SIGNALS} >= {"SIGINT", "SIGTERM"}


def test_the_scope_has_the_state_of_its_connection():
    for protocol in (httptools_impl.HttpToolsProtocol, h11_impl.H11Protocol):
        assert '"state": self.app_state.copy()' in source_of(protocol)


def test_httptools_is_named_only_where_uvicorn_is_configured():
    found = {
        str(path.relative_to(ROOT))
        for pattern in ("contracts/**", "fixtures/**", "mockserver/**", "package/**", "benchmarks")
        for path in ROOT.glob(f"{pattern}/*.py")
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
    tests = [str(Path(__file__).with_name(name)) for name in TESTS]
    chosen = [__file__, "-m", "not slow", *tests]
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
