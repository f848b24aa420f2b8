"""Settings: the command line, then the environment, then pyproject.toml, then the default."""

import os
import re
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from deadringer.contracts import schemathesis_hooks
from deadringer.mockserver import DEMO_KEY, RatePolicy, Settings, SettingsError
from deadringer.mockserver.cli import main
from deadringer.mockserver.cli.serve import serve
from deadringer.mockserver.cli.settings import OTHER_VARIABLES, settings_from, settings_of
from tests.project import ROOT

KUBERNETES = {
    "DEADRINGER_PORT": "tcp://10.0.0.1:4010",
    "DEADRINGER_PORT_4010_TCP": "tcp://10.0.0.1:4010",
    "DEADRINGER_PORT_4010_TCP_ADDR": "10.0.0.1",
    "DEADRINGER_PORT_4010_TCP_PORT": "4010",
    "DEADRINGER_PORT_4010_TCP_PROTO": "tcp",
    "DEADRINGER_PORT_5353_UDP": "udp://10.0.0.1:5353",
    "DEADRINGER_SERVICE_HOST": "10.0.0.1",
    "DEADRINGER_SERVICE_PORT": "4010",
    "DEADRINGER_SERVICE_PORT_HTTP_WEB": "4010",
}
SETTINGS = settings_of(serve)
LISTS = {option.written for option in SETTINGS if option.multiple}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Return a function that reads settings from options, variables and [tool.deadringer] alone."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("DEADRINGER_"):
            monkeypatch.delenv(name)

    def read(*options: str, table: str = "", **variables: str) -> Settings:
        Path("pyproject.toml").write_text(f"[project]\nname='x'\n[tool.deadringer]\n{table}\n")
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return settings_from(serve.make_context("serve", list(options)))

    return read


def refusal(read, *options: str, **sources: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(*options, **sources)
    return str(refused.value)


def test_every_option_is_a_field_of_the_settings_and_every_field_an_option():
    assert sorted(option.field for option in SETTINGS) == sorted(
        field.name for field in fields(Settings)
    )


def test_without_any_setting_the_defaults_hold(load):
    settings = load()

    assert settings == Settings()
    assert settings.api_keys == (DEMO_KEY,)
    assert settings.rate_policy == RatePolicy(100, 60)

    Path("pyproject.toml").unlink()
    assert settings_from(serve.make_context("serve", [])) == Settings()


def test_the_command_line_precedes_the_environment_and_that_the_file(load):
    settings = load(
        *("--host", "line"),
        table="host = 'file'\nport = 1\nlog-format = 'json'",
        DEADRINGER_HOST="environment",
        DEADRINGER_PORT="2",
    )

    assert (settings.host, settings.port, settings.log_format) == ("line", 2, "json")


def test_a_bad_value_that_another_source_precedes_does_not_matter(load):
    line = load("--port", "3", table="port = 'bad'", DEADRINGER_PORT="bad")
    environment = load(table="port = [1]\nreload = 5", DEADRINGER_PORT="2", DEADRINGER_RELOAD="1")

    assert line.port == 3
    assert (environment.port, environment.reload) == (2, True)


EVERY = Settings(
    host="::1",
    port=0,
    api_keys=("one", "two"),
    fixtures=(Path("a"), Path("b")),
    reload=True,
    log_format="json",
    rate_limit="enforce",
    rate_policy=RatePolicy(5, 10),
    cors="wildcard",
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
    max_sessions=50,
    uds=Path("mock.sock"),
    fd=3,
    tls=True,
    ssl_certfile=Path("server.pem"),
    ssl_keyfile=Path("key.pem"),
    limits=(("body_bytes", 1000), ("head_s", 2.5)),
)
LINE = {
    "host": ["::1"],
    "port": ["0"],
    "api-key": ["one", "two"],
    "fixtures": ["a", "b"],
    "log-format": ["json"],
    "rate-limit": ["enforce"],
    "rate-policy": ["5/10"],
    "cors": ["wildcard"],
    "break": ["step-vanishes", "no-key-needed"],
    "workers": ["1"],
    "seed": ["7"],
    "runs-per-workflow": ["1000"],
    "speed": ["20"],
    "freeze": ["2026-03-27T10:15:00Z"],
    "state": ["state.sqlite"],
    "chaos": ["overloaded"],
    "scenario": ["busy-day"],
    "control-token": ["secret"],
    "allow-host": ["mock.example", "mock.test"],
    "cache-mb": ["16"],
    "max-sessions": ["50"],
    "uds": ["mock.sock"],
    "fd": ["3"],
    "ssl-certfile": ["server.pem"],
    "ssl-keyfile": ["key.pem"],
    "limit": ["body_bytes=1000", "head_s=2.5"],
}
SWITCHES = {"reload": True, "empty": True, "control": False, "tls": True}


def test_every_setting_can_be_given_on_the_command_line(load):
    options = [
        part for name, values in LINE.items() for one in values for part in (f"--{name}", one)
    ]

    assert LINE.keys() | SWITCHES.keys() == {option.written for option in SETTINGS}
    assert load(*options, "--reload", "--empty", "--no-control", "--tls") == EVERY


def test_every_setting_can_be_given_in_the_environment(load):
    joined = {name: ",".join(values) for name, values in LINE.items()}
    joined["fixtures"] = os.pathsep.join(LINE["fixtures"])
    joined |= {name: "yes" if on else "no" for name, on in SWITCHES.items()}

    variables = {f"DEADRINGER_{name.upper().replace('-', '_')}": joined[name] for name in joined}

    assert variables.keys() == {option.variable for option in SETTINGS}
    assert load(**variables) == EVERY


@pytest.mark.parametrize("dash", ["-", "_"])
def test_every_setting_can_be_given_in_the_file(load, dash):
    values = {name: texts if len(texts) > 1 else texts[0] for name, texts in LINE.items()}
    lines = [f"{name.replace('-', dash)} = {value!r}" for name, value in values.items()]
    lines += [f"{name} = {str(on).lower()}" for name, on in SWITCHES.items()]

    assert load(table="\n".join(lines)) == EVERY


def test_the_file_has_numbers_times_and_joined_texts_too(load):
    settings = load(
        table="port = 0\nspeed = 20.5\nfreeze = 2026-03-27T10:15:00Z\napi-key = 'one, two'\n"
        f"fixtures = 'a{os.pathsep}b'\nseed = 7"
    )

    assert (settings.port, settings.speed, settings.seed) == (0, 20.5, 7)
    assert settings.freeze == "2026-03-27T10:15:00+00:00"
    assert settings.api_keys == ("one", "two")
    assert settings.fixtures == (Path("a"), Path("b"))


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")

    for option in SETTINGS:
        assert f"| `--{option.written}` |" in page
        assert f"`{option.variable}`" in page


def test_the_help_names_the_variable_and_default_of_each_setting():
    context = serve.make_context("serve", [], resilient_parsing=True)

    for option in SETTINGS:
        _, text = option.get_help_record(context)
        assert "[default:\N{NO-BREAK SPACE}" in text
        assert f"[env:\N{NO-BREAK SPACE}{option.variable}]" in text


def test_the_help_shows_nothing_of_the_file(load):
    Path("pyproject.toml").write_text("[tool.deadringer]\ncontrol-token = 'hush'\nprot = 1")

    done = CliRunner().invoke(main, ["serve", "--help"], env={"DEADRINGER_PROT": "1"})

    assert done.exit_code == 0
    assert "hush" not in done.output


@pytest.mark.parametrize("empty", ["", ",", " , "])
def test_an_empty_list_counts_as_none(load, empty):
    table = "api-key = ['file']"

    assert load(DEADRINGER_API_KEY=empty) == Settings()
    assert load("--api-key", empty.strip(" ,")) == Settings()
    assert load(table=f"api-key = '{empty}'") == Settings()
    assert load(table="api-key = []") == Settings()
    assert load(table=table, DEADRINGER_API_KEY=empty).api_keys == ("file",)
    assert load("--api-key", "", table=table).api_keys == ("file",)
    assert load("--api-key", "", "--api-key", "one").api_keys == ("one",)


def test_an_empty_variable_counts_as_not_given(load):
    assert load(DEADRINGER_PORT="", DEADRINGER_CONTROL="", table="port = 5").port == 5


def test_an_unknown_variable_is_refused_with_the_nearest_name_and_all_names(load):
    message = refusal(load, "--port", "0", DEADRINGER_PROT="1", DEADRINGER_WORKFLOW="x")

    assert message.startswith(
        "Unknown environment variable DEADRINGER_PROT. Did you mean DEADRINGER_PORT? Known: "
    )
    for option in SETTINGS:
        assert option.variable in message


@pytest.mark.parametrize(
    "name", ["HELP", "PORTS", "SERVICE", "SERVICE_HOSTS", "API_KEYS", "PORT_TCP", "XSERVICE_HOST"]
)
def test_what_only_resembles_a_known_variable_is_refused(load, name):
    assert f"DEADRINGER_{name}." in refusal(load, **{f"DEADRINGER_{name}": "1"})


def test_variables_of_other_programs_and_commands_are_ignored(load):
    others = dict.fromkeys(OTHER_VARIABLES, "x")

    assert load(PORT="x", DEADRINGER="y", **others) == Settings()


def test_every_variable_of_the_package_is_known_to_serve():
    known = OTHER_VARIABLES | {option.variable for option in SETTINGS}
    sources = [
        path
        for room in ("contracts", "fixtures", "mockserver")
        for path in (ROOT / room).rglob("*.py")
    ]
    named = {
        name
        for path in sources
        for name in re.findall(r"[\"'](DEADRINGER_[A-Z_]+)[\"']", path.read_text("utf-8"))
    }

    assert set(schemathesis_hooks.ID_VARIABLES.values()) <= named
    assert named <= known


def test_variables_of_a_kubernetes_service_are_ignored(load):
    sibling = {name.replace("_", "_UI_", 1): value for name, value in KUBERNETES.items()}

    assert load(**KUBERNETES, **sibling) == Settings()
    assert load(table="port = 5", **KUBERNETES).port == 5
    assert load("--port", "6", **KUBERNETES).port == 6


def test_a_port_that_kubernetes_would_not_set_is_refused(load):
    assert "DEADRINGER_UI_PORT" in refusal(load, DEADRINGER_UI_PORT="4010")
    for value in ("garbage", "tcp:/10.0.0.1:4010", "http://10.0.0.1:4010"):
        message = refusal(load, **{**KUBERNETES, "DEADRINGER_PORT": value})
        assert f"Setting port: {value!r} is not a whole number" in message
        assert "(from DEADRINGER_PORT)" in message


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest_name_and_all_names(load):
    message = refusal(load, table="prot = 1")

    assert message.startswith(
        "Unknown setting prot in [tool.deadringer] in pyproject.toml. Did you mean port? Known: "
    )
    assert "allow-host" in message


def test_a_table_of_another_command_is_ignored(load):
    assert load(table="[tool.deadringer.check]\nx = 1") == Settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("host", "", "must be a text, and not empty"),
        ("port", "abc", "is not a whole number from 0 to 65535 (0 picks a free port)"),
        ("port", "65536", "is not a whole number from 0 to 65535"),
        ("port", "-1", "is not a whole number from 0 to 65535"),
        ("port", "9" * 5000, "is not a whole number from 0 to 65535"),
        ("port", "٣", "is not a whole number from 0 to 65535"),
        ("api-key", "with space", "visible ASCII"),
        ("log-format", "xml", "not one of 'text', 'json', 'off'"),
        ("rate-limit", "on", "not one of 'report', 'enforce', 'off'"),
        ("rate-policy", "100", "such as 100/60"),
        ("rate-policy", "0/60", "such as 100/60"),
        ("break", "step-vanish", "step-vanishes"),
        ("workers", "2", "run several mocks behind a load balancer"),
        ("workers", "one", "one process serves"),
        ("seed", "1.5", "is not a whole number from 0 to 999999999999999"),
        ("runs-per-workflow", "0", "from 1 to 10000000; --empty serves none"),
        ("cache-mb", "65537", "from 0 to 65536"),
        ("max-sessions", "0", "from 1 to 1000000"),
        ("speed", "0", "--freeze stops the clock"),
        ("speed", "nan", "is not a number above 0"),
        ("freeze", "noon", "such as 2026-03-27T10:15:00Z"),
        ("freeze", "2026-03-27T10:15:00", "is not a time with a zone"),
        ("state", " ", "must be a text, and not empty"),
        ("chaos", "overload", "'overloaded'"),
        ("allow-host", "mock:80x", "such as mock.example, without port"),
    ],
)
def test_a_bad_value_is_refused_with_its_source_and_what_is_allowed(load, name, value, reason):
    on_the_line = refusal(load, f"--{name}", value)
    assert on_the_line.startswith(f"Setting {name}: ")
    assert reason in on_the_line
    assert on_the_line.endswith(f"(from --{name}).")

    in_the_file = refusal(
        load, table=f"{name} = [{value!r}]" if name in LISTS else f"{name} = {value!r}"
    )
    assert in_the_file == on_the_line.replace(f"--{name})", "[tool.deadringer] in pyproject.toml)")

    if value:
        variable = f"DEADRINGER_{name.upper().replace('-', '_')}"
        assert refusal(load, **{variable: value}) == on_the_line.replace(
            f"--{name})", f"{variable})"
        )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("port = true", "True is not a whole number from 0 to 65535"),
        ("port = 1.0", "1.0 is not a whole number"),
        ("port = [1]", "it takes a single value"),
        ("log-format = ['text']", "it takes a single value"),
        ("log-format = 5", "not one of 'text', 'json', 'off'"),
        ("host = 5", "it must be a text"),
        ("host = {x = 1}", "it takes a single value"),
        ("reload = 5", "'5' is not a valid boolean"),
        ("reload = 'perhaps'", "'perhaps' is not a valid boolean"),
        ("rate-policy = 100", "such as 100/60"),
        ("api-key = 5", "must be a text"),
        ("api-key = {x = 1}", "must be a text"),
        ("api-key = [5]", "must be a text"),
        ("fixtures = [5]", "must be a text"),
        ("break = [['a']]", "must be a text"),
        ("allow-host = [5]", "must be a text"),
        ("freeze = 10:15:00", "is not a time with a zone"),
        ("chaos = 5", "'overloaded'"),
    ],
)
def test_a_value_of_another_kind_in_the_file_is_refused(load, line, reason):
    message = refusal(load, table=line)

    assert message.startswith(f"Setting {line.partition(' =')[0]}: ")
    assert reason in message
    assert message.endswith("(from [tool.deadringer] in pyproject.toml).")


def test_a_bad_secret_is_not_shown(load):
    assert "cret" not in refusal(load, "--api-key", "se cret")
    assert "cret" not in refusal(load, DEADRINGER_API_KEY="one,se cret")
    assert "1234" not in refusal(load, table="control-token = 1234")
    assert "1234" not in refusal(load, table="api-key = 1234")
    assert "1234" not in refusal(load, table="api-key = [1234]")


@pytest.mark.parametrize("content", [b"[tool", b"\xff", b"[tool]\ndeadringer = 5"])
def test_a_file_that_cannot_be_read_is_refused(load, content):
    Path("pyproject.toml").write_bytes(content)

    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        serve.make_context("serve", [])


def test_a_context_without_variables_and_file_has_the_options_alone(load, monkeypatch):
    Path("pyproject.toml").write_text("[tool.deadringer]\nprot = 1")
    monkeypatch.setenv("DEADRINGER_PORT", "garbage")
    monkeypatch.setenv("DEADRINGER_PROT", "1")

    context = serve.make_context("x", ["--seed", "5"], auto_envvar_prefix=None, default_map={})

    assert settings_from(context) == Settings(seed=5)


def test_other_commands_do_not_read_the_variables_of_serve(load):
    done = CliRunner().invoke(main, ["examples"], env={"DEADRINGER_PROT": "1", **KUBERNETES})

    assert done.exit_code == 0
