"""Scenario files with unusual YAML: each problem is reported with its place."""

import pytest

from deadringer.mockserver.world.scenarios import ScenarioError, load_scenario

RUN = "summary: x\nruns:\n  - workflow_id: wf_abc123\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RUN + "    at_s: .nan\n", ":4:11: '.nan' is not finite"),
        (RUN + "    at_s: -.inf\n", ":4:11: '-.inf' is not finite"),
        (RUN + "    at_s: 1.0e+999\n", ":4:11: '1.0e+999' is not finite"),
        (RUN + "    at_s: 0\n    overrides: {1: 2, a: 3}\n", ":5:17: a key is not a string"),
        ("summary: x\n? [a, b]\n: c\n", ":2:3: a key is not a string"),
        ("summary: x\n? {a: b}\n: c\n", ":2:3: a key is not a string"),
        (RUN + "    at_s: 0\n    overrides: {a: !!set {b}}\n", ":5:20: a set cannot be"),
        ("summary: x\nruns: \x07\n", ":2:7: the character U+0007 is not allowed in YAML"),
    ],
)
def test_what_no_json_can_say_is_refused_at_its_place(tmp_path, text, message):
    file = tmp_path / "unusual.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(ScenarioError) as problem:
        load_scenario(str(file), 1)

    (line,) = problem.value.lines
    assert line.startswith(f"{file}{message}")


def test_merged_mappings_and_numbers_in_quotes_stay_good(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(
        RUN + "    at_s: 0\n    overrides: &one {'1': 2}\n"
        "  - workflow_id: wf_abc123\n    at_s: 9\n    overrides: {<<: *one, a: 3}\n",
        "utf-8",
    )

    first, second = load_scenario(str(file), 1).run_entries()

    assert (first["overrides"], second["overrides"]) == ({"1": 2}, {"1": 2, "a": 3})
