"""What a real browser records while a page uses the mock is validated as far as it goes."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from deadringer.contracts.documents import ValidatedDocument, validate_stream
from deadringer.mockserver import DEMO_KEY

READ = """
async ([base, key]) => {
  const read = (path, options) => fetch(base + path, {headers: {"x-api-key": key}, ...options});
  const run = "/v1/workflows/wf_abc123/executions/run_x7k9m2";
  await (await read("/v1/workflows/wf_abc123/executions?page_size=5")).json();
  await (await read(run)).json();
  await (await read(run)).json();
  await (await read(run, {cache: "force-cache"})).json();
  await (await read(run + "_unknown")).json();
  await fetch(base + "/openapi.json");
  const controller = new AbortController();
  const aborted = read("/v1/workflows", {signal: controller.signal}).catch(() => null);
  controller.abort();
  await aborted;
}
"""


@pytest.mark.parametrize(("content", "without_body"), [("embed", 0), ("omit", 3)])
def test_a_browsers_own_recording_is_validated(
    browser: Browser,
    start_mock: Callable[..., str],
    tmp_path: Path,
    content: Literal["embed", "omit"],
    without_body: int,
) -> None:
    path = tmp_path / "one.har"
    context = browser.new_context(record_har_path=path, record_har_content=content)
    page = context.new_page()
    page.set_content("<!doctype html><title>frontend</title>")

    page.evaluate(READ, [start_mock(), DEMO_KEY])
    context.close()

    with path.open("rb") as stream:
        (found,) = validate_stream(path.name, stream)
    assert isinstance(found, ValidatedDocument)
    assert found.violations == ()
    assert found.recording is not None
    # The second read of the run is confirmed by 304; it never has a body.
    assert found.recording.as_json() == {
        "total": 7,
        "validated": 4,
        "without_body": without_body,
        "skipped": {"cached": 1, "no_response": 1, "other_path": 1},
    }
