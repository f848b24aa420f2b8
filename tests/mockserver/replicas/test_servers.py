"""Two servers over one Redis, as clients and supervisors see them."""

import time

import httpx
import pytest

from deadringer.mockserver.control_spec import control_operations, response_validator
from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO, KNOWN
from tests.mockserver.redis_server import RedisServer

TEST = "/v1/workflows/wf_abc123/test"
LIST = "/v1/workflows/wf_abc123/executions"
READY, LIVE = "/__mock/health/ready", "/__mock/health/live"


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"), "--requirepass", "secret")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def servers(start_server, redis):
    """Two replicas: one with a control token, one without the control API."""
    options = ("--rate-limit", "enforce", "--rate-policy", "100/600")
    state = ("--state", redis.url("shop", ":secret@"))
    return [
        start_server(*state, *options, "--control-token", "token"),
        start_server(*state, *options, "--no-control"),
    ]


@pytest.fixture
def replicas(servers, redis):
    """Clients of the replicas, which are as after a start."""
    clients = [httpx.Client(base_url=one.url, headers=DEMO, verify=NO_TLS) for one in servers]
    clients[0].headers["X-Mock-Token"] = "token"
    assert clients[0].post("/__mock/reset", params={"all": "true"}).is_success
    yield clients
    for one in clients:
        one.close()


def cut_off(redis, replicas):
    redis.kill()
    wait_for(replicas, 503)


def wait_for(replicas, status):
    began = time.monotonic()
    while any(one.get(READY).status_code != status for one in replicas):
        assert time.monotonic() - began < 10
        time.sleep(0.02)


def test_a_change_at_one_replica_shows_at_the_other_at_once(replicas):
    one, other = replicas
    for round_ in range(20):
        writer, reader = (one, other) if round_ % 2 else (other, one)
        run_id = writer.post(TEST).json()["data"]["test_run_id"]
        assert reader.get(f"{LIST}/{run_id}").status_code == 200


def test_a_cached_response_is_never_from_an_older_world(replicas):
    one, other = replicas
    path = f"/__mock/{KNOWN.removeprefix('/v1/')}"
    for round_ in range(10):
        texts = [other.get(KNOWN).text for _ in range(3)]  # from its response cache
        assert len({*texts}) == 1
        event = f"workflows/round-{round_}"
        one.patch(path, json={"event_name": event}, params={"force": "true"})
        assert other.get(KNOWN).json()["data"]["event_name"] == event


def test_an_enforced_limit_is_exact_over_replicas(replicas):
    responses = [replicas[number % 2].get(KNOWN) for number in range(102)]

    assert [one.status_code for one in responses[:100]] == [200] * 100
    assert [one.status_code for one in responses[100:]] == [429, 429]
    left = [int(one.headers["RateLimit-Remaining"]) for one in responses]
    assert left == [*range(99, -1, -1), 0, 0]


def test_the_health_needs_no_token_and_no_control_api(servers):
    for server in servers:
        for path, status in ((LIVE, "live"), (READY, "ready")):
            headers = {"Host": "probe.example.com", "Sec-Fetch-Site": "cross-site"}
            response = httpx.get(f"{server.url}{path}", headers=headers, verify=NO_TLS)
            assert (response.status_code, response.json()) == (200, {"status": status})
    assert httpx.get(f"{servers[0].url}/__mock/state", verify=NO_TLS).status_code == 401
    refused = httpx.get(f"{servers[1].url}/__mock/state", verify=NO_TLS)
    assert refused.json()["error"]["suggestion"].startswith("The control API is off")


def test_a_count_that_misses_other_replicas_is_refused(replicas):
    refused = replicas[0].post("/__mock/verify", json={"exactly": 0})

    assert refused.status_code == 409
    assert refused.json()["error"]["message"] == (
        "The requests at 1 other replica(s) cannot be counted"
    )


def test_replicas_of_another_world_do_not_start(servers, redis, refused_start):
    done = refused_start("--state", redis.url("shop", ":secret@"), "--seed", "2", "--speed", "3")

    assert done.returncode == 2
    assert done.stderr == (
        f"deadringer: Other servers of redis://127.0.0.1:{redis.port}/0#shop have another --seed "
        "and another --speed. Start all of them with the same, or use another name after #.\n"
    )


def test_while_redis_is_away_what_cannot_be_known_is_503(replicas, redis):
    one, other = replicas
    run_id = one.post(TEST).json()["data"]["test_run_id"]
    cut_off(redis, replicas)

    for response in (
        one.get(KNOWN),  # with an enforced limit, the count cannot be known
        other.get(f"{LIST}/{run_id}"),
        other.post(TEST),
        one.post("/__mock/workflows/wf_abc123/runs", json={}),
        one.post("/__mock/reset"),
        one.get("/__mock/state"),
        other.get(READY),
    ):
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert response.json()["error"]["code"] == "STATE_UNREACHABLE"
    not_ready = other.get(READY, headers={"X-Mock-Session": "no name"})
    (ready,) = [one for one in control_operations() if one.operation_id == "getReady"]
    assert [*response_validator(ready, 503).iter_errors(not_ready.json())] == []
    assert [replica.get(LIVE).status_code for replica in replicas] == [200, 200]
    redis.start()
    wait_for(replicas, 200)
    assert other.get(f"{LIST}/{run_id}").status_code == 200


@pytest.mark.slow
def test_while_redis_is_away_unchanged_sessions_are_read(start_server, redis):
    servers = [start_server("--state", redis.url("calm", ":secret@")) for _ in range(2)]
    replicas = [httpx.Client(base_url=one.url, headers=DEMO, verify=NO_TLS) for one in servers]
    changed = {"X-Mock-Session": "changed"}
    assert replicas[0].post(TEST, headers=changed).is_success
    before = [one.get(KNOWN).text for one in replicas]
    cut_off(redis, replicas)

    for one in replicas:
        assert [one.get(KNOWN).text for _ in range(3)] == [before[0]] * 3
        assert one.get(LIST).status_code == 200
        assert one.get(KNOWN, headers=changed).status_code == 503
        assert one.post(TEST).status_code == 503
    redis.start()
    wait_for(replicas, 200)
    assert replicas[1].get(KNOWN, headers=changed).status_code == 200
    for one, server in zip(replicas, servers, strict=True):
        one.close()
        assert server.stop() == 0
        assert "secret" not in server.log + server.banner
        assert "The shared state cannot be reached" in server.log


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("redis://:secret@127.0.0.1:1/0", "cannot be reached: connection refused. Start it, or"),
        ("redis://:secret@127.0.0.1:x", "Setting state: its host or port is not valid"),
        ("postgres://:secret@h", "Setting state: it is neither the path of a file nor redis://"),
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start(refused_start, state, problem):
    done = refused_start("--state", state)

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
