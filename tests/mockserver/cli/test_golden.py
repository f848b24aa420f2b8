"""The bytes of every form. Users keep such files: a changed hash is a breaking change."""

import hashlib

import pytest

from tests.mockserver.cli import generated

GOLDEN = (
    (
        "--seed 42 -n 300 --status failed=0.3 --steps 3..12 --from 2026-01-01 --to 2026-03-01",
        "6dfeea7049b8ce76c6b8c1d8c793aca30db77d1fc2de79cea3c3ca118933feb7",
    ),
    (
        "--seed x -n 50 --edge --envelope",
        "2ca1b123c0f4b13508132fb56a9e518c87fd5854f19adbe628556bd83d884a3f",
    ),
    (
        "--seed 42 -n 100 --format csv",
        "282c159c57dacb7ae285b5b2208c143e5cbd2db1c84a19a029410e36b8f6b932",
    ),
    (
        "--seed 42 -n 100 --format har",
        "1163421171b189ed80d7684f3dba8f76747ff7fac61f691323a0a408a2c7b186",
    ),
    (
        "--seed 42 -n 100 --format json --locale ja_JP",
        "0e4aaac769ace2ea58fb9bf8ac8bdbd358d4721bfa6f0104c8b2c712cb7cd52a",
    ),
    (
        "--seed 42 -n 20 --violating end_is_not_before_start",
        "94c094a381b5a9c314298e1c71da6f82361965988b8714c05f62d17d8c44be2d",
    ),
)


@pytest.mark.parametrize(("arguments", "golden"), GOLDEN)
def test_a_command_prints_the_golden_bytes(arguments: str, golden: str) -> None:
    printed = generated(*arguments.split())

    assert hashlib.sha256(printed).hexdigest() == golden
