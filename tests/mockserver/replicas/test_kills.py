"""Replicas and Redis are killed or stand still: no acknowledged change is lost or hidden."""

import random
import signal
import threading
import time

import httpx
import pytest

from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO
from tests.mockserver.redis_server import RedisServer

KILLS = 60
REPLICAS = 3
CLIENTS = 4
TEST = "/v1/workflows/wf_abc123/test"
RUNS = "/v1/workflows/wf_abc123/executions"
MOCKED = {"action_mocks": {"agent-1": {"enabled": True}, "slack-1": {"enabled": True}}}
FREE = {"test_config": MOCKED}
"""A test run that costs no credits, so that they never end."""


class Mocks:
    """Three replicas over one Redis, any of which may be gone at any moment."""

    def __init__(self, start_server, redis):
        self.start_server, self.redis = start_server, redis
        self.servers = [self.started() for _ in range(REPLICAS)]
        self.urls = [one.url for one in self.servers]

    def started(self):
        return self.start_server("--state", self.redis.url(), "--rate-limit", "off")

    def kill(self, place):
        self.servers[place].stop(signal.SIGKILL)

    def start(self, place):
        self.servers[place] = self.started()
        self.urls[place] = self.servers[place].url

    def wait_until_ready(self):
        began = time.monotonic()
        for url in self.urls:
            while httpx.get(f"{url}/__mock/health/ready", verify=NO_TLS).status_code != 200:
                assert time.monotonic() - began < 20
                time.sleep(0.02)


class Client(threading.Thread):
    """Starts runs at any replica, and reads those that were acknowledged at every replica."""

    def __init__(self, name, mocks, seed):
        super().__init__()
        self.name, self.mocks, self.random = name, mocks, random.Random(seed)
        self.http = httpx.Client(headers=DEMO, verify=NO_TLS, timeout=20)
        self.acknowledged = []
        self.hidden = []
        self.refused = self.read = 0
        self.is_over = threading.Event()

    def run(self):
        number = 0
        while not self.is_over.is_set():
            number += 1
            session = f"{self.name}-{number // 5}"  # each begins as an unchanged one
            run_id = self.start_run(session)
            if run_id:
                self.acknowledged.append((session, run_id))
                self.read_everywhere(session, run_id)
            if self.acknowledged:
                self.read_everywhere(*self.random.choice(self.acknowledged))

    def start_run(self, session):
        headers = {"X-Mock-Session": session}
        url = self.random.choice(self.mocks.urls)
        try:
            response = self.http.post(f"{url}{TEST}", json=FREE, headers=headers)
        except httpx.HTTPError:
            return None
        if response.status_code == 503:
            self.refused += 1
            return None
        assert response.status_code == 200, response.text
        return response.json()["data"]["test_run_id"]

    def read_everywhere(self, session, run_id):
        headers = {"X-Mock-Session": session}
        for url in [*self.mocks.urls]:
            try:
                response = self.http.get(f"{url}{RUNS}/{run_id}", headers=headers)
            except httpx.HTTPError:
                continue
            if response.status_code not in {200, 503}:
                self.hidden.append((session, run_id, response.status_code, response.text))
            self.read += response.status_code == 200


KINDS = ("replica", "redis", "both")


def stand_still(process, seconds):
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGCONT)


def kill_once(mocks, choice):
    """Kill a replica, Redis, or both, and start them again a little later."""
    place, what = choice.randrange(REPLICAS), choice.choice(KINDS)
    time.sleep(choice.uniform(0, 1))
    stopped = choice.choice([one.process for one in (*mocks.servers, mocks.redis)])
    stand_still(stopped, choice.choice((0, 0.1, 1.5)))
    if what != "redis":
        mocks.kill(place)
    if what != "replica":
        mocks.redis.kill()
        time.sleep(choice.uniform(0, 1.2))  # leases end, or do not
        mocks.redis.start()
    if what != "redis":
        mocks.start(place)
    mocks.wait_until_ready()
    return what


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path, "--appendfsync", "always")
    yield server
    server.stop()


@pytest.mark.slow
def test_kills_lose_and_hide_no_acknowledged_change(start_server, redis):
    seed = random.randrange(10**6)
    choice = random.Random(seed)
    mocks = Mocks(start_server, redis)
    clients = [Client(f"client-{number}", mocks, seed + number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        killed = [kill_once(mocks, choice) for _ in range(KILLS)]
    finally:
        for client in clients:
            client.is_over.set()
        for client in clients:
            client.join()
    mocks.wait_until_ready()
    for client in clients:
        assert client.hidden == [], f"seed {seed}"
        for session, run_id in client.acknowledged:
            client.read_everywhere(session, run_id)
        assert client.hidden == [], f"lost, seed {seed}"
        client.http.close()

    acknowledged = sum(len(one.acknowledged) for one in clients)
    refused = sum(one.refused for one in clients)
    print(f"{acknowledged} acknowledged, {refused} refused, {killed}, seed {seed}")  # noqa: T201
    assert {*killed} == {*KINDS}
    assert acknowledged > KILLS
    assert refused
    for server in mocks.servers:
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert "lost events" not in server.log
