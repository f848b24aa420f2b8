"""Generated executions could have happened: data flows, time passes, failures say why."""

import itertools
import re
import statistics

from deadringer.fixtures.generator import Recipe, generate_many


def completed_steps(count=1500, **arguments):
    executions = itertools.islice(generate_many(23, status="completed", **arguments), count)
    return [
        (execution, step)
        for execution in executions
        for step in execution["steps"]
        if step["status"] == "completed"
    ]


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings_in(member)


def test_a_slack_message_contains_the_text_of_the_agent_before_it():
    told = 0
    for index in range(300):
        recipe = Recipe(23, status="completed", operations=_AGENT_AND_SLACK, steps=2, loops=False)
        steps = recipe.execution(index)["steps"]
        if [step["operation"] for step in steps] == _AGENT_AND_SLACK:
            told += 1
            assert steps[0]["output"]["result"]["output"] in steps[1]["input"]["message"]

    assert told > 20


_AGENT_AND_SLACK = ["generic_agent", "slack_send_channel_message"]


def test_no_reference_is_left_in_any_input():
    for _, step in completed_steps():
        assert not any("{{" in text or "!ref(" in text for text in strings_in(step["input"]))


def test_references_resolve_to_something():
    empty = [
        (step["operation"], key)
        for _, step in completed_steps()
        for key, value in step["input"].items()
        if value == ""
    ]

    assert empty == []


def test_an_enriched_person_is_the_one_whose_profile_was_asked_for():
    people = [s for _, s in completed_steps() if s["operation"] == "person_enrichment"]

    asked = [step for step in people if step["input"]["profile"]]
    assert all(s["output"]["result"]["linkedinUrl"] == s["input"]["profile"] for s in asked)
    assert asked


def test_addresses_stand_under_names_reserved_for_examples():
    texts = [text for e, _ in completed_steps(steps=(2, 6)) for text in strings_in(e["steps"])]

    mails = {mail for text in texts for mail in re.findall(r"[\w.+-]+@([\w.-]+\w)", text)}
    hosts = {host for text in texts for host in re.findall(r"https?://([\w.-]+)", text)}
    assert mails
    assert all(re.search(r"(^|\.)example\.(com|org|net)$", mail) for mail in mails)
    assert all(re.search(r"(^|\.)(example\.com|linkedin\.com)$", host) for host in hosts)


def test_profiles_carry_digits_that_make_them_nobodys():
    urls = {
        url
        for execution, _ in completed_steps()
        for text in strings_in(execution["steps"])
        for url in re.findall(r"https://linkedin\.com/in/[\w-]+", text)
    }

    assert urls
    assert all(re.search(r"-[0-9a-f]{8}$", url) for url in urls)


def test_durations_differ_by_operation_and_have_a_long_tail():
    by_kind = {}
    for _, step in completed_steps():
        by_kind.setdefault(step["operation"], []).append(step["duration_ms"])

    agent, saved = by_kind["generic_agent"], by_kind["save_to_db"]
    assert 2200 < statistics.median(agent) < 3000
    assert 100 < statistics.median(saved) < 190
    assert statistics.mean(agent) > statistics.median(agent) * 1.05


def test_a_delay_takes_as_long_as_it_was_told_to():
    for _, step in completed_steps(200, operations=["delay"], steps=(1, 2)):
        assert 0 <= step["duration_ms"] - 1000 * step["input"]["duration"] < 100


def test_failures_name_step_and_cause_as_text_or_as_object():
    forms = set()
    causes = set()
    for execution in itertools.islice(generate_many(5, status="failed"), 400):
        [step] = [step for step in execution["steps"] if step["status"] == "failed"]
        error = step["error"]
        forms.add(type(error))
        text = error["message"] if isinstance(error, dict) else error
        causes.add((step["operation"], text))
        name = step["step_name"] or step["step_id"]
        assert execution["error"] == f"Step '{name}' failed: {text}"

    assert forms == {str, dict}
    assert len(causes) > 40


def test_a_time_out_takes_as_long_as_its_text_says():
    waited = []
    for execution in itertools.islice(generate_many(5, status="failed"), 400):
        [step] = [step for step in execution["steps"] if step["status"] == "failed"]
        if "within 60 s" in execution["error"]:
            waited.append(step["duration_ms"])

    assert waited
    assert set(waited) == {60_000}


def test_workflows_are_of_many_shapes():
    workflows = [Recipe(3).workflow(index) for index in range(200)]

    kinds = {a["kind"] for w in workflows for a in w["workflow"]["actions"]}
    assert {"builtin:if", "builtin:loop", "generic_agent", "person_enrichment"} <= kinds
    assert len({w["workflow"]["trigger"]["kind"] for w in workflows}) >= 5
    assert len({w["name"] for w in workflows}) > 15


def test_different_seeds_share_no_run():
    ids = [e["run_id"] for seed in range(20) for e in itertools.islice(generate_many(seed), 50)]

    assert len(set(ids)) == len(ids)
