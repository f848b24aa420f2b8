"""Faults reach a browser that has cached the run, which shows the original run again afterwards."""

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY
from tests.mockserver.conftest import KNOWN

pytestmark = pytest.mark.slow

# The default mode of the cache: a stored response is revalidated, as `no-cache` requires.
READ = """
async ([path, key]) => {
  try {
    const response = await fetch(path, {headers: {"x-api-key": key}});
    return [response.status, response.headers.get("content-type"), await response.text()];
  } catch {
    return [0, "", ""];
  }
}
"""
CONTRACT = ["duration-in-seconds", "execution-nested", "detail-as-text", "unknown-run-status"]
TRANSPORT = ["status", "reset", "truncate", "empty", "malformed", "content-type"]


@pytest.fixture(scope="module")
def url(start_mock):
    return start_mock("--rate-limit", "off")


@pytest.fixture
def read(url, page, watch):
    """Return a function that reads the run in one browser."""
    httpx.post(f"{url}/__mock/reset")
    watch.forgive("Failed to load resource")
    watch.forgive("Access to fetch")
    page.goto(f"{url}/__mock/ui/contract")
    return lambda: page.evaluate(READ, [KNOWN, DEMO_KEY])


def statuses(url):
    entries = httpx.get(f"{url}/__mock/journal").json()["entries"]
    return [entry["status"] for entry in reversed(entries)]


@pytest.mark.parametrize("fault", CONTRACT)
def test_a_contract_fault_reaches_it_and_leaves(url, read, fault):
    true, again = read(), read()
    httpx.put(f"{url}/__mock/contract-faults/{fault}").raise_for_status()
    faulty = read()
    httpx.delete(f"{url}/__mock/contract-faults").raise_for_status()
    after = read()

    assert (again, after) == (true, true)
    assert faulty != true
    assert statuses(url)[1] == 304


@pytest.mark.parametrize("kind", TRANSPORT)
def test_a_transport_fault_reaches_it_and_leaves(url, read, kind):
    true, again = read(), read()
    httpx.post(f"{url}/__mock/faults", json={"kind": kind}).raise_for_status()
    faulty = read()
    httpx.delete(f"{url}/__mock/faults").raise_for_status()
    after = read()

    assert (again, after) == (true, true)
    assert faulty != true
    assert statuses(url)[1] == 304
