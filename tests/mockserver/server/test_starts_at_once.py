"""Runs that are started at the same moment: each is one of its own."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from deadringer.mockserver import DEMO_KEY

STARTS = 24


def test_runs_that_start_at_once_are_all_started(start_server):
    url = start_server("--freeze", "2026-03-27T10:15:00Z").url

    def start(_number):
        path = f"{url}/v1/workflows/wf_abc123/test"
        response = httpx.post(path, headers={"x-api-key": DEMO_KEY}, timeout=30)
        return response.json()["data"]["test_run_id"]

    with ThreadPoolExecutor(STARTS) as pool:
        acknowledged = list(pool.map(start, range(STARTS)))

    listed = [one["run_id"] for one in httpx.get(f"{url}/__mock/state").json()["started_runs"]]
    assert len(set(acknowledged)) == STARTS
    assert sorted(listed) == sorted(acknowledged)


def test_a_reset_session_gives_the_same_ids_again(start_server):
    url = start_server("--freeze", "2026-03-27T10:15:00Z").url

    def started():
        path = f"{url}/__mock/workflows/wf_abc123/runs"
        return [httpx.post(path, json={}).json()["run_id"] for _ in range(2)]

    first = started()
    httpx.post(f"{url}/__mock/reset")

    assert started() == first
