"""Print the golden hashes: `python print_hashes.py FOLDER_OF_THE_GENERATOR`.

Run by plain Pythons without any package, so the generator is imported from its folder.
"""

import hashlib
import itertools
import sys

ARGUMENTS = {
    "plain": {},
    "failed": {"status": "failed", "steps": (3, 9)},
    "running": {"status": "running", "columns": True},
    "looped": {"loops": True, "locale": "ja_JP"},
    "dated": {"started_after": "2020-02-01", "started_before": "2020-03-01"},
    "edge": {"edge": True},
}


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from generator import generate_many, json_bytes

    for arguments in ARGUMENTS.values():
        digest = hashlib.sha256()
        for document in itertools.islice(generate_many(42, **arguments), 100):
            digest.update(json_bytes(document) + b"\n")
        sys.stdout.write(digest.hexdigest() + "\n")
