"""Our generator, in the same harness as the others."""

import timing

from deadringer.fixtures import generate_many, json_bytes


def documents(_schema):
    """Yield executions as JSON."""
    for execution in generate_many(1):
        yield json_bytes(execution).decode()


timing.run(documents)
