"""HTTP servers in threads of the tests."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

POLL_S = 0.02


@contextmanager
def served(server: HTTPServer) -> Iterator[str]:
    """Serve until the end of the block; the value is the URL of the server, which is closed then.

    A server listens from the moment it is made: make it where the block begins.
    """
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@contextmanager
def served_files(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, as an origin of its own, until the end of the block."""
    handler = functools.partial(_QuietFiles, directory=str(folder))
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield url
