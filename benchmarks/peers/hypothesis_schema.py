"""hypothesis-jsonschema on the execution schema, drawn in batches like a property test.

It uses the schema without conditions (`if`, `then`): with them it generates fewer than one document
in ten seconds.
"""

import json
from itertools import count

import timing
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis_jsonschema import from_schema

_BATCH = 10


def documents(schema):
    """Yield drawn executions as JSON."""
    for part in (schema, *schema["$defs"].values()):
        part.pop("allOf", None)
    strategy = from_schema(schema)
    for number in count():
        yield from _batch(strategy, number)


def _batch(strategy, number):
    drawn = []

    @seed(number)
    @settings(
        max_examples=_BATCH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(execution):
        drawn.append(json.dumps(execution))

    collect()
    return drawn


timing.run(documents)
