"""Suggest the nearest names, at bounded cost."""

import itertools
import time

from deadringer.contracts import nearest_names


def test_the_most_alike_come_first_and_at_most_three():
    known = ["run_a1b2c3", "run_x7k9m2", "wf_abc123", "run_x7k9zz", "run_x7"]

    assert nearest_names("run_x7k9m3", known) == ["run_x7k9m2", "run_x7k9zz", "run_x7"]


def test_something_is_named_even_if_nothing_is_alike():
    assert nearest_names("%%%", ["a", "b"]) == ["a", "b"]
    assert nearest_names("a", []) == []


def test_a_name_must_be_as_like_as_asked():
    known = ["duration_is_not_negative", "schema"]

    assert nearest_names("duration_is_negative", known, least_likeness=0.6) == known[:1]
    assert nearest_names("%%%", known, least_likeness=0.3) == []
    assert nearest_names("schem", ["schemes", "schema"], most=1) == ["schema"]


def test_a_long_id_and_an_endless_world_cost_little():
    endless = (f"run_{number}" + "y" * 10_000 for number in itertools.count())

    began = time.perf_counter()
    assert len(nearest_names("x" * 1_000_000, endless)) == 3
    assert time.perf_counter() - began < 1
