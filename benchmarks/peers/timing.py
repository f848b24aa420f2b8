"""Generate documents for some seconds, store the first, and report the count."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

WARM_UP = 10


def run(documents: Callable[[dict], Iterator[str]]) -> None:
    """Run the command line SCHEMA SECONDS SAMPLE COUNT; a document is a line of JSON.

    Measures generating and writing as JSON, in processor time, which other programs do not disturb.
    """
    schema, seconds, sample, keep = sys.argv[1:]
    lines = documents(json.loads(Path(schema).read_text("utf-8")))
    stored = list(islice(lines, WARM_UP))
    count, begin, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < float(seconds):
        line = next(lines)
        count += 1
        if count < int(keep):
            stored.append(line)
    used = time.process_time() - used
    Path(sample).write_text("".join(line + "\n" for line in stored), "utf-8")
    print(json.dumps({"count": count, "seconds": used}))
