"""Makes documents for some seconds, keeps the first, and tells how many there were."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

WARM_UP = 20
_CLOCK_EVERY = 10


def run(documents: Callable[[dict], Iterator[str]]) -> None:
    """Serve the command line SCHEMA SECONDS SAMPLE KEEP; a document is a line of JSON.

    Made and written as JSON is what counts; keeping the first ones is not in the time.
    """
    schema, seconds, sample, keep = sys.argv[1:]
    lines = documents(json.loads(Path(schema).read_text("utf-8")))
    kept = list(islice(lines, WARM_UP))
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < float(seconds):
        made = list(islice(lines, _CLOCK_EVERY))
        count += len(made)
        kept += made[: max(0, int(keep) - len(kept))]
    passed = time.perf_counter() - begin
    Path(sample).write_text("".join(line + "\n" for line in kept), "utf-8")
    print(json.dumps({"count": count, "seconds": passed}))
