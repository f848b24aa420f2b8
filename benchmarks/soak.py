"""`python -m benchmarks.soak [MINUTES]`: memory of one server under mixed load, printed as ratios.

The load is reads of finished, live and unknown runs, lists, test runs, control calls, faults and
resets, in more sessions than the server holds in memory. First so many requests over several
connections, as fast as the responses arrive, fill all that has a bound: sessions, journal, rate
windows, caches, threads. Then the load is light and constant, and memory is measured every ten
seconds; the reference is the median of the third quarter.
"""

import argparse
import itertools
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx

from deadringer.mockserver import DEMO_KEY

from .processes import free_port, started

_RATE = 60
_FILLING = 20_000
_CONNECTIONS = 12
_KEY = {"x-api-key": DEMO_KEY}
_MOST_SESSIONS = 200
_WEIGH_EVERY_S = 10.0
_RUNS = ("run_x7k9m2", "run_failed", "run_running_forever", "run_large", "run_unknown")


def one_request(client: httpx.Client, chance: random.Random, number: int) -> None:
    """Send one request of the mix; its status does not matter here."""
    session = {"X-Mock-Session": f"soak-{chance.randrange(5 * _MOST_SESSIONS)}"}
    workflow = f"/v1/workflows/{chance.choice(('wf_abc123', 'wf_def456'))}"
    pick = chance.random()
    if pick < 0.5:
        client.get(f"{workflow}/executions/{chance.choice(_RUNS)}", headers=session)
    elif pick < 0.7:
        client.get(f"{workflow}/executions?page={chance.randrange(1, 9)}", headers=session)
    elif pick < 0.8:
        client.post(f"{workflow}/test", json={}, headers=session)
    elif pick < 0.87:
        fault = {"kind": "status", "status": 503, "count": 2}
        client.post("/__mock/faults", json=fault, headers=session)
    elif pick < 0.94:
        client.post("/__mock/clock/advance", json={"seconds": 30}, headers=session)
    elif pick < 0.99:
        client.get("/__mock/journal?limit=5", headers=session)
    else:
        everywhere = "?all=true" if number % 50 == 0 else ""
        client.post(f"/__mock/reset{everywhere}", headers=session)


def fill(url: str, requests: int) -> None:
    """Send requests of the mix over several connections, as fast as the responses arrive."""

    def send(connection: int) -> None:
        chance = random.Random(connection)
        with httpx.Client(base_url=url, headers=_KEY, timeout=60) as client:
            for number in range(connection, requests, _CONNECTIONS):
                one_request(client, chance, number)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(send, range(_CONNECTIONS)))


def soak(minutes: float, filling: int = _FILLING) -> list[float]:
    """Return the memory of the server in MB: when it is filled, then every ten seconds."""
    port, chance = free_port(), random.Random(1)
    command = [sys.executable, "-m", "deadringer", "serve", "--port", str(port)]
    command += ["--log-format", "off", "--max-sessions", str(_MOST_SESSIONS)]
    url = f"http://127.0.0.1:{port}"
    with (
        started(command, "/", port=port, cores="0,1") as server,
        httpx.Client(base_url=url, headers=_KEY, timeout=60) as client,
    ):
        fill(url, filling)
        weights = [server.memory_mb()]
        begun = time.monotonic()
        next_weight = begun + _WEIGH_EVERY_S
        for number in itertools.count():
            due = begun + number / _RATE
            time.sleep(max(0.0, due - time.monotonic()))
            one_request(client, chance, number)
            if time.monotonic() >= next_weight:
                weights.append(server.memory_mb())
                next_weight += _WEIGH_EVERY_S
            if time.monotonic() - begun > minutes * 60:
                break
    return weights


def main() -> None:
    """Print the memory in each quarter, as a ratio of the third."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    if minutes < 1:
        parser.error("at least one minute, to measure each quarter of it")
    filled, *weights = soak(minutes)
    size = max(1, len(weights) // 4)
    quarters = [median(weights[place * size : (place + 1) * size]) for place in range(4)]
    print(f"after {_FILLING:,} requests over {_CONNECTIONS} connections: {filled:.1f} MB")
    print(f"then {_RATE} requests/s, {len(weights)} weighings, highest {max(weights):.1f} MB")
    for number, weight in enumerate(quarters, 1):
        print(f"quarter {number}: {weight:.1f} MB, {weight / quarters[2]:.3f} of quarter 3")


if __name__ == "__main__":
    main()
