"""Count the calls of one warm list request into our code.

`python -m benchmarks.request_profile` prints the number of calls, of files they are in, and how
often one call is in another file than the previous call. Comprehensions and lambdas are not
counted. The request goes to the WSGI application, without the HTTP server.
"""

import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from werkzeug.test import EnvironBuilder

import deadringer
from deadringer.mockserver import DEMO_KEY, Settings, create_app

PATH = "/v1/workflows/wf_abc123/executions"
_ROOTS = tuple(f"{Path(root).resolve()}/" for root in deadringer.__path__)
_PACKAGES = ("contracts/", "fixtures/", "mockserver/", "package/")
WARM_UP = 50


def profile(run: Callable[[], object]) -> list[tuple[str, str]]:
    """Return file (relative to the checkout) and function of every call into our code, in order."""
    calls: list[tuple[str, str]] = []

    def record(frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        for root in _ROOTS:
            file = code.co_filename.removeprefix(root)
            is_ours = file != code.co_filename and file.startswith(_PACKAGES)
            if is_ours and not code.co_name.startswith("<"):
                calls.append((file, code.co_name))

    sys.setprofile(record)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls


def changes_of_file(calls: list[tuple[str, str]]) -> int:
    """Return how many calls are in another file than the previous call."""
    files = [file for file, _function in calls]
    return sum(one != before for before, one in pairwise(files))


def main() -> None:
    """Print the three figures; with `--files` the calls in each file, with `--calls` every call."""
    app = create_app(Settings())

    def request() -> bytes:
        environ = EnvironBuilder(PATH, headers={"x-api-key": DEMO_KEY}).get_environ()
        return b"".join(app.wsgi_app(environ, lambda *_args: lambda _body: None))

    for _ in range(WARM_UP):
        request()
    calls = profile(request)
    counted = Counter(file for file, _function in calls)
    print(f"{len(calls)} calls, {len(counted)} files, {changes_of_file(calls)} changes of file")
    if "--files" in sys.argv:
        for file, count in counted.most_common():
            print(f"{count:5} {file}")
    if "--calls" in sys.argv:
        for file, function in calls:
            print(f"      {file} {function}")


if __name__ == "__main__":
    main()
