"""Naming the nearest ids, at a bounded price."""

import itertools
import time

from deadringer.mockserver._suggest import nearest_ids


def test_the_most_alike_come_first_and_at_most_three():
    known = ["run_a1b2c3", "run_x7k9m2", "wf_abc123", "run_x7k9zz", "run_x7"]

    assert nearest_ids("run_x7k9m3", known) == ["run_x7k9m2", "run_x7k9zz", "run_x7"]


def test_something_is_named_even_if_nothing_is_alike():
    assert nearest_ids("%%%", ["a", "b"]) == ["a", "b"]
    assert nearest_ids("a", []) == []


def test_a_long_id_and_an_endless_world_cost_little():
    endless = (f"run_{number}" + "y" * 10_000 for number in itertools.count())

    began = time.perf_counter()
    assert len(nearest_ids("x" * 1_000_000, endless)) == 3
    assert time.perf_counter() - began < 1
