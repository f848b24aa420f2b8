"""Random clients, several at once, of a correct server: nothing is reported."""

import random
import threading
import time

import httpx
import pytest

from deadringer.mockserver import Settings
from tests.machine import NO_TLS
from tests.mockserver.proxy.serving import DEMO, mocking, proxying

SECONDS = 8
WORKFLOWS = "/v1/workflows"
KEYS: tuple[dict[str, str], ...] = (
    *(DEMO,) * 12,
    *({}, {"x-api-key": "trig_wrong_key_0123456789abc"}, {"cookie": "a=1"}),
    {"authorization": f"Bearer {DEMO['x-api-key']}"},
)
OF_WORKFLOWS = ("", "?limit=5", "?limit=0", "?limit=5&offset=3", "?status=DRAFT", "?offset=-1")
PAGES = ("", "?page=2&page_size=5", "?page=99999", "?page=0", "?page_size=101", "?page=x&other=1")
RUNS = ("run_x7k9m2", "nope", "%2e%2e", "a%2Fb", "%C3%A9", "RUN_X7K9M2")
BODIES = ({}, {"test_config": {"mode": "real_with_override"}}, {"test_config": 5}, [1])
CODINGS = ("identity", "br", "gzip", "zstd, gzip")


class Client:
    """One client with its own chance; it follows what lists and test runs return."""

    def __init__(self, url: str, seed: int) -> None:
        self._chance = random.Random(seed)
        session = {"X-Mock-Session": f"s{seed}"} if seed % 2 else {}
        self._http = httpx.Client(verify=NO_TLS, base_url=url, timeout=20, headers=session)
        self._workflows = ["wf_abc123", "nope"]
        self._runs = [("wf_abc123", run) for run in RUNS]

    def run(self, ends_s: float) -> None:
        kinds = (self.list_workflows, self.list_runs, self.read, self.read, self.start, self.other)
        with self._http:
            while time.monotonic() < ends_s:
                self._chance.choice(kinds)(self._chance.choice(KEYS))

    def _get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        coding = {"accept-encoding": self._chance.choice(CODINGS)}
        return self._http.get(path, headers={**coding, **headers})

    def list_workflows(self, key: dict[str, str]) -> None:
        response = self._get(WORKFLOWS + self._chance.choice(OF_WORKFLOWS), key)
        if response.status_code == 200:
            self._workflows = [*[one["id"] for one in response.json()["data"]["items"]][:6], "nope"]
        self._get(f"{WORKFLOWS}/{self._chance.choice(self._workflows)}", key)

    def list_runs(self, key: dict[str, str]) -> None:
        workflow = self._chance.choice(self._workflows)
        path = f"{WORKFLOWS}/{workflow}/executions{self._chance.choice(PAGES)}"
        response = self._get(path, key)
        if response.status_code == 200:
            rows = response.json()["data"]["executions"]
            self._runs += [(workflow, row["run_id"]) for row in rows[:5]]
            del self._runs[6:-60]

    def read(self, key: dict[str, str]) -> None:
        workflow, run = self._chance.choice(self._runs)
        path = f"{WORKFLOWS}/{workflow}/executions/{run}"
        response = self._get(path, key)
        if "etag" in response.headers:
            self._get(path, {**key, "if-none-match": response.headers["etag"]})
        self._get(f"{path}/variables", key)

    def start(self, key: dict[str, str]) -> None:
        workflow, body = self._chance.choice(self._workflows), self._chance.choice(BODIES)
        response = self._http.post(f"{WORKFLOWS}/{workflow}/test", json=body, headers=key)
        if response.status_code == 200:
            self._runs.append((workflow, response.json()["data"]["test_run_id"]))

    def other(self, key: dict[str, str]) -> None:
        path = f"{WORKFLOWS}/{self._chance.choice(self._workflows)}/executions/x"
        method = self._chance.choice(("HEAD", "OPTIONS", "DELETE", "PUT", "POST", "TRACE"))
        self._http.request(method, path, headers=key)
        self._get(self._chance.choice(("/v1/credits/balance", f"{WORKFLOWS}/actions", "/v1")), key)


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["report", "enforce"])
def test_random_clients_of_a_correct_server_raise_no_alarm(limit: str) -> None:
    settings = Settings(speed=20, rate_limit=limit, log_format="off")

    with mocking(settings) as mock, proxying(mock, timeout_s=20) as proxy:
        clients = [Client(proxy.url, seed) for seed in range(6)]
        ends_s = time.monotonic() + SECONDS
        threads = [threading.Thread(target=one.run, args=(ends_s,)) for one in clients]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        report = proxy.traffic.report()

    found = [
        f"{one.rule}: {each.violation.message} ({each.request})"
        for one in report.results
        for finding in one.findings
        for each in finding.examples[:1]
    ]
    assert found == []
    assert report.requests > 500
    assert sum(bool(one.tested) for one in report.results) > 80
