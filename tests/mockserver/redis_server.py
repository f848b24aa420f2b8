"""A real Redis server on a free port, for the tests of shared state."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.machine import give_up

START_S = 20


class RedisServer:
    """A `redis-server` process over one folder; it can be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        if shutil.which("redis-server") is None:
            give_up("redis-server is not installed")
        self._folder, self._options = folder, options
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def url(self, name: str = "test", secret: str = "") -> str:
        return f"redis://{secret}127.0.0.1:{self.port}/0#{name}"

    def start(self) -> None:
        """Start it and wait until it has read its data."""
        fixed = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder))
        stored = ("--appendonly", "yes", "--save", "")
        self.process = subprocess.Popen(
            ["redis-server", *fixed, *stored, *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        began = time.monotonic()
        while not self._replies():
            assert time.monotonic() - began < START_S, "Redis does not start"
            assert self.process.poll() is None, "Redis ended"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it if it runs; a stopped process is continued by the kill."""
        self.kill()

    def _replies(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                reply = connection.recv(100)
        except OSError:
            return False
        return reply.startswith((b"+PONG", b"-NOAUTH"))
