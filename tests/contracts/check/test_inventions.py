"""Invented ids and keys: unlike everything known, and found whatever is known."""

import threading
from types import SimpleNamespace

import pytest

from deadringer.contracts.check import CheckOptions
from deadringer.contracts.check.phases.inventions import invented, near_ids, near_keys, spelled

KEY = "trig_small_server_key"
LIMIT_S = 10


def session(*step_ids: str, run_ids: tuple[str, ...] = ()) -> SimpleNamespace:
    """The parts of a check that inventions read: what it knows."""
    steps = [{"step_id": one} for one in step_ids]
    runs = {
        one: SimpleNamespace(run_id=one, execution={"id": f"exec_{one}", "steps": steps})
        for one in run_ids or ("run_x7k9m2",)
    }
    return SimpleNamespace(
        options=CheckOptions("http://127.0.0.1:1", KEY), workflows={"wf_abc123": None}, runs=runs
    )


def within_the_limit(function):
    """Return a result; a search without end fails the test instead of stopping all of them."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(function()), daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    assert found, "no id was found"
    return found[0]


@pytest.mark.parametrize("prefix", ["run_", "wf_", "trig_"])
@pytest.mark.parametrize("step_id", ["r", "run", "run_", "w", "wf_", "t", "trig_", "RUN"])
def test_short_known_ids_do_not_rule_out_every_invention(prefix, step_id):
    text = within_the_limit(lambda: invented(session(step_id), prefix))

    assert text.startswith(prefix)
    assert text != step_id


@pytest.mark.parametrize(
    "like", ["1", "run_1", "a", "RUN-A", "0b7c1a52-9f6e-4d3a-8c21-5e0f9a7b6c4d"]
)
def test_an_invention_in_the_form_of_a_known_id_is_found(like):
    digits = tuple("0123456789")

    text = within_the_limit(lambda: invented(session(run_ids=digits), "run_", like=like))

    assert spelled(text) not in {*map(spelled, digits), spelled(like)}


def test_a_long_known_id_is_neither_continued_nor_begun():
    first = invented(session(), "run_")

    for known in (first, first[:-1], f"{first}x", f" {first.upper()}"):
        assert invented(session(run_ids=(known,)), "run_") != first


@pytest.mark.parametrize("value", ["", "x", "é", "完了"])
def test_near_ids_of_any_id_can_be_made(value):
    assert value not in list(near_ids(value))


def test_near_ids_and_keys_never_equal_the_good_one():
    assert "run_x7k9m2" not in list(near_ids("run_x7k9m2"))
    assert all(KEY not in pair for pair in near_keys(KEY, 0))
