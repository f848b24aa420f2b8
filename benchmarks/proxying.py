"""`python -m benchmarks.proxying [REQUESTS]`: what the proxy adds to a request, printed as a table.

A mock is the upstream. Each request is sent to it and to the proxy in turn, over one open
connection each, so that both have the same share of the machine's moments. The proxy runs as a user
starts it: every response is validated and journaled; only the log is off.
"""

import argparse
import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles

from deadringer.mockserver import DEMO_KEY

from .processes import Running, free_port, process_tree_cpu_s, started
from .tables import table

REQUESTS = 600
TARGET_MS = 3.0
_WARM_UP = 40
_KEY = {"x-api-key": DEMO_KEY}
_WORKFLOW = "/v1/workflows/wf_abc123"
_READS = {
    "a run of two steps": f"{_WORKFLOW}/executions/run_x7k9m2",
    "a run of 200 steps": f"{_WORKFLOW}/executions/run_large",
    "20 runs of a list": f"{_WORKFLOW}/executions",
    "a workflow": _WORKFLOW,
}


@contextmanager
def both() -> Iterator[tuple[Running, Running]]:
    """Run a mock and a proxy in front of it."""
    quiet = ["--log-format", "off", "--port"]
    command, port = [sys.executable, "-m", "deadringer"], free_port()
    serve = [*command, "serve", "--freeze", "2026-03-27T10:20:00Z", *quiet, str(port)]
    with started(serve, "/", port=port) as mock:
        other = free_port()
        proxy = [*command, "proxy", f"http://127.0.0.1:{port}", *quiet, str(other)]
        with started(proxy, _WORKFLOW, port=other, headers=_KEY) as proxied:
            yield mock, proxied


def times_ms(ports: tuple[int, int], path: str, requests: int) -> tuple[list[float], list[float]]:
    """Return the times of requests to each port in milliseconds; warm-up is left out."""
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for port in ports]
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(requests + _WARM_UP):
        for place, connection in enumerate(connections):
            began = time.perf_counter()
            connection.request("GET", path, headers=_KEY)
            response = connection.getresponse()
            response.read()
            spent_ms = (time.perf_counter() - began) * 1000
            if response.status != 200:
                raise SystemExit(f"{path} returned {response.status}")
            if number >= _WARM_UP:
                found[place].append(spent_ms)
    for connection in connections:
        connection.close()
    return found


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[-1]


def main() -> None:
    """Print p50 and p99 without and with the proxy, and the difference."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxying", description=__doc__)
    parser.add_argument("requests", nargs="?", type=int, default=REQUESTS)
    requests = parser.parse_args().requests
    rows, added = [], {}
    with both() as (mock, proxy):
        for what, path in _READS.items():
            spent_s = process_tree_cpu_s(proxy.process.pid)
            direct, through = times_ms((mock.port, proxy.port), path, requests)
            spent_s = process_tree_cpu_s(proxy.process.pid) - spent_s
            added[what] = median(through) - median(direct)
            busy_ms = spent_s * 1000 / (requests + _WARM_UP)
            shown = (median(direct), median(through), added[what], _p99(direct), _p99(through))
            shown = (*shown, busy_ms)
            rows.append((what, *(f"{one:.2f}" for one in shown)))
        memory_mb = proxy.memory_mb()
    heads = ("Read", "p50 direct, ms", "p50, ms", "added, ms", "p99 direct, ms", "p99, ms")
    heads = (*heads, "its processor time, ms")
    print(table(heads, rows))
    first = added["a run of two steps"]
    verdict = "met" if first < TARGET_MS else "not met"
    print(
        f"\nTarget: a p50 of less than {TARGET_MS:g} ms added to a run: {verdict} ({first:.2f} ms)"
    )
    print(f"Memory of the proxy afterwards: {memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
