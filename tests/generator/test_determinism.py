"""The same arguments give the same bytes: anywhere, in any order, on any supported Python."""

import hashlib
import itertools
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deadringer.fixtures import generator
from deadringer.fixtures.generator import Recipe, generate, generate_many, json_bytes

from .print_hashes import ARGUMENTS

# Users pin generated documents. A changed hash is a breaking change: major version, changelog.
GOLDEN = {
    "plain": "e0d16337886799580a825f204ee23d9bd8922d6c44e106eef87b1c7f1ebbb612",
    "failed": "72e3478e2cf2a76324c5625157177a5c205a2d32da36355326d6eff7f1f49106",
    "running": "3057984a1b55d9c2a6b0622fef416d16fd496241411ee08a93c98008f3795d9a",
    "looped": "3c313e78025cbd849b7250cff38957d839903e822c8603dc3e8ee5d6a7e2a50e",
    "dated": "5c1d427fd0861e372f3939f293c9343480445ca49cd4e3b7c950b78d6f118ccf",
    "edge": "3f1bd2c8b9af4057795e767606e155ff8819ba18ef990264170ae2361b9e2342",
}
SCRIPT = Path(__file__).with_name("print_hashes.py")


def hash_of(documents) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(json_bytes(document) + b"\n")
    return digest.hexdigest()


@pytest.mark.parametrize("name", GOLDEN)
def test_the_first_hundred_documents_of_a_seed_are_the_golden_ones(name):
    documents = itertools.islice(generate_many(42, **ARGUMENTS[name]), 100)

    assert hash_of(documents) == GOLDEN[name]


def test_a_document_does_not_depend_on_those_before_it():
    in_order = list(itertools.islice(generate_many("abc"), 20))

    backwards = [generate("abc", index=index) for index in reversed(range(20))]

    assert in_order == backwards[::-1]


def test_an_endless_iterator_can_start_anywhere():
    assert next(generate_many(7, start=10**12)) == generate(7, index=10**12)


def test_the_billionth_costs_what_the_first_does():
    recipe = Recipe(1)
    recipe.execution(0)

    started = time.perf_counter()
    recipe.execution(10**9)

    assert time.perf_counter() - started < 0.5


def test_seeds_and_indexes_give_different_documents():
    documents = [generate(seed, index=index) for seed in (1, 2, "1") for index in (0, 1)]

    assert len({document["run_id"] for document in documents}) == 6


def test_one_column_and_some_columns_are_different_wishes():
    exact = generate(5, index=3, columns=1)
    generate(5, index=3, columns=True)

    assert len(exact["column_config"]) == 1
    assert generate(5, index=3, columns=1) == exact


def pythons() -> list[str]:
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 16)]
    pyenv = Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")
    real = [one for one in found if one and "shims" not in one]
    return [sys.executable, *real, *map(str, sorted(pyenv))]


@pytest.mark.parametrize("python", dict.fromkeys(pythons()))
@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_every_python_prints_the_same_hashes_with_nothing_but_its_standard_library(
    python, hash_seed
):
    room = Path(generator.__file__).parent.parent

    run = subprocess.run(
        [python, "-S", "-s", "-B", SCRIPT, room],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == list(GOLDEN.values())
