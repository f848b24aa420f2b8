"""Settings: the command line, then the environment, then pyproject.toml."""

from pathlib import Path

import pytest

from deadringer.mockserver import DEMO_KEY, RatePolicy, Settings, SettingsError, load_settings
from deadringer.mockserver.cli.serve import serve
from deadringer.mockserver.config import setting_names
from tests.project import ROOT


@pytest.fixture
def project_file(tmp_path):
    """Write the table [tool.deadringer] and give the file."""

    def write(table: str) -> Path:
        file = tmp_path / "pyproject.toml"
        file.write_text(f"[project]\nname = 'x'\n[tool.deadringer]\n{table}\n")
        return file

    return write


NO_FILE = Path("no/such/pyproject.toml")


def test_without_any_setting_the_defaults_hold():
    settings = load_settings({"port": None, "api-key": ()}, {}, NO_FILE)

    assert settings == Settings()
    assert settings.api_keys == (DEMO_KEY,)
    assert settings.rate_policy == RatePolicy(100, 60)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(project_file):
    file = project_file("host = 'file'\nport = 1\nlog-format = 'json'")
    environment = {"DEADRINGER_HOST": "environment", "DEADRINGER_PORT": "2"}

    settings = load_settings({"host": "line"}, environment, file)

    assert (settings.host, settings.port, settings.log_format) == ("line", 2, "json")


def test_every_setting_can_be_given_in_every_layer(project_file):
    wanted = Settings(
        host="::1",
        port=0,
        api_keys=("one", "two"),
        fixtures=(Path("a"), Path("b")),
        reload=True,
        log_format="json",
        rate_limit="enforce",
        rate_policy=RatePolicy(5, 10),
        breaks=("step-vanishes", "no-key-needed"),
        seed=7,
        runs_per_workflow=1000,
        empty=True,
        speed=20,
        freeze="2026-03-27T10:15:00Z",
        state=Path("state.sqlite"),
        chaos="overloaded",
        scenario="busy-day",
        control=False,
        control_token="secret",
        allowed_hosts=("mock.example", "mock.test"),
        cache_mb=16,
    )
    line = {
        "host": "::1",
        "port": "0",
        "api-key": ("one", "two"),
        "fixtures": ("a", "b"),
        "reload": True,
        "log-format": "json",
        "rate-limit": "enforce",
        "rate-policy": "5/10",
        "break": ("step-vanishes", "no-key-needed"),
        "seed": "7",
        "runs-per-workflow": "1000",
        "empty": True,
        "speed": "20",
        "freeze": "2026-03-27T10:15:00Z",
        "state": "state.sqlite",
        "chaos": "overloaded",
        "scenario": "busy-day",
        "control": False,
        "control-token": "secret",
        "allow-host": ("mock.example", "mock.test"),
        "cache-mb": "16",
    }
    joined = {
        "allow-host": "mock.example,mock.test",
        "api-key": "one,two",
        "break": "step-vanishes,no-key-needed",
        "fixtures": Path("a:b").as_posix(),
        "reload": "yes",
        "empty": "yes",
        "control": "no",
    }
    environment = {
        "DEADRINGER_" + name.upper().replace("-", "_"): joined.get(name, value)
        for name, value in line.items()
    }
    table = (
        "host='::1'\nport=0\napi-key=['one','two']\nfixtures=['a','b']\nreload=true\n"
        "log_format='json'\nrate-limit='enforce'\nrate-policy='5/10'\n"
        "break=['step-vanishes','no-key-needed']\nseed=7\nruns-per-workflow=1000\nempty=true\n"
        "speed=20\nfreeze='2026-03-27T10:15:00Z'\nstate='state.sqlite'\nchaos='overloaded'\n"
        "control=false\ncontrol-token='secret'\nallow-host=['mock.example','mock.test']"
        "\ncache-mb=16\nscenario='busy-day'"
    )

    assert set(line) == set(setting_names())
    assert load_settings(line, {}, NO_FILE) == wanted
    assert load_settings({}, environment, NO_FILE) == wanted
    assert load_settings({}, {}, project_file(table)) == wanted


def test_every_setting_is_an_option_and_is_documented():
    options = {option.opts[0].removeprefix("--") for option in serve.params}
    readme = (ROOT / "mockserver" / "README.md").read_text("utf-8")

    assert options == set(setting_names())
    for name in setting_names():
        assert f"`--{name}`" in readme
        assert f"`DEADRINGER_{name.upper().replace('-', '_')}`" in readme


@pytest.mark.parametrize("empty", ["", ",", " , "])
def test_an_empty_key_counts_as_none(empty):
    assert load_settings({}, {"DEADRINGER_API_KEY": empty}, NO_FILE) == Settings()
    assert load_settings({"api-key": (empty.strip(" ,"),)}, {}, NO_FILE) == Settings()


def test_an_unknown_variable_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError) as refusal:
        load_settings({}, {"DEADRINGER_PROT": "1"}, NO_FILE)

    message = str(refusal.value)
    assert message.startswith("Unknown environment variable DEADRINGER_PROT. Known: ")
    assert "DEADRINGER_PORT" in message


def test_variables_of_other_programs_and_of_our_clients_are_passed_over():
    environment = {"PORT": "x", "DEADRINGER": "y", "DEADRINGER_URL": "http://localhost"}

    assert load_settings({}, environment, NO_FILE) == Settings()


def test_an_unknown_name_in_the_file_is_refused_and_the_known_ones_are_named(project_file):
    with pytest.raises(SettingsError, match=r"Unknown setting prot in .* Known: .*port"):
        load_settings({}, {}, project_file("prot = 1"))


def test_a_table_of_another_command_is_passed_over(project_file):
    assert load_settings({}, {}, project_file("[tool.deadringer.check]\nx = 1")) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("host", "", "is not a host name"),
        ("port", "abc", "is not a whole number from 0 to 65535"),
        ("port", "65536", "is not a whole number from 0 to 65535"),
        ("port", "-1", "is not a whole number from 0 to 65535"),
        ("port", "9" * 5000, "is not a whole number from 0 to 65535"),
        ("port", "٣", "is not a whole number from 0 to 65535"),
        ("port", True, "is not a whole number from 0 to 65535"),
        ("api-key", "with space", "visible ASCII"),
        ("api-key", 5, "neither a text nor a list of texts"),
        ("reload", "perhaps", "neither true nor false"),
        ("log-format", "xml", "not one of text, json"),
        ("rate-limit", "on", "not one of report, enforce, off"),
        ("rate-policy", "100", "such as 100/60"),
        ("rate-policy", "0/60", "such as 100/60"),
    ],
)
def test_a_bad_value_is_refused_with_the_allowed_ones(name, value, reason):
    with pytest.raises(SettingsError) as refusal:
        load_settings({name: value}, {}, NO_FILE)

    assert str(refusal.value).startswith(f"Setting {name}: ")
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith(f"(from --{name}).")


def test_a_bad_key_is_not_shown_in_the_refusal():
    with pytest.raises(SettingsError) as refusal:
        load_settings({"api-key": ("se cret",)}, {}, NO_FILE)

    assert "cret" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"[tool", b"\xff", b"[tool]\ndeadringer = 5"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    file = tmp_path / "pyproject.toml"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        load_settings({}, {}, file)
