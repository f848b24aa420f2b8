"""The import name `deadringer` beside other packages named like its folders."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from tests.project import ROOT
from tests.project.environment import Environment

FOLDERS = ("contracts", "fixtures", "mockserver")
OLD_IMPORT = re.compile(
    r"""(?:^|["'`>]|\\n)[ \t]*(?:"""  # where a line begins, one inside a string included
    rf"""from[ ](?:{"|".join(FOLDERS)})(?:\.\w+)*[ ]import | import[ ](?:{"|".join(FOLDERS)})\b)""",
    re.MULTILINE | re.VERBOSE,
)
FOREIGN = "fixtures==4.3.2"  # a package of another project, with the name of a folder here


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with an editable install of the checkout, without dependencies."""
    created = Environment.create(tmp_path_factory.mktemp("editable"))
    created.install("--no-deps", "--editable", ROOT)
    return created


slow = pytest.mark.slow
together = pytest.mark.xdist_group("wheel")


@slow
@together
def test_the_wheel_holds_one_package(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        recorded = [line.split(",")[0] for line in archive.read(record).decode().splitlines()]

    assert {name.split("/")[0] for name in names} == {"deadringer", record.split("/")[0]}
    assert sorted(recorded) == sorted(names)
    assert {f"deadringer/{folder}/__init__.py" for folder in FOLDERS} <= set(names)
    assert [name for name in names if name.endswith("py.typed")] == ["deadringer/py.typed"]


@slow
@together
@pytest.mark.parametrize("fixture", ["environment", "editable"])
def test_an_install_provides_one_import_name(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    installed: Environment = request.getfixturevalue(fixture)

    found = installed.python(
        "import importlib.util as found\n"
        f"for name in {FOLDERS!r}:\n"
        "    print(found.find_spec(name), found.find_spec('deadringer.' + name) is not None)\n",
        cwd=tmp_path,
    )

    assert found.splitlines() == ["None True"] * 3


@slow
@together
def test_the_installed_package_imports_and_runs(environment: Environment, tmp_path: Path) -> None:
    imports = "".join(f"import deadringer.{folder}\n" for folder in FOLDERS)
    shown = environment.run("python", "-m", "deadringer", "--version", cwd=tmp_path)

    environment.python(imports, cwd=tmp_path)

    assert shown.returncode == 0, shown.stderr
    assert re.fullmatch(r"deadringer \d+\.\d+\.\d+\n", shown.stdout)


def works(environment: Environment, folder: Path) -> None:
    """Fail unless the installed commands generate, list and serve."""
    generated = environment.run("deadringer", "generate", "-n", "1", cwd=folder)
    examples = environment.run("deadringer", "examples", cwd=folder)
    with environment.serving(cwd=folder) as (url, key):
        request = Request(f"{url}/v1/workflows", headers={"x-api-key": key})
        with urlopen(request, timeout=10) as response:
            assert response.status == 200

    assert (generated.returncode, generated.stdout[:1]) == (0, "{"), generated.stderr
    assert examples.returncode == 0, examples.stderr


def foreign_works(environment: Environment, folder: Path) -> None:
    """Fail unless `fixtures` is the package of the other project, and works."""
    name = FOREIGN.partition("==")[0]
    code = f"import {name}\nwith {name}.TempDir() as made: print(made.path)"
    assert environment.python(code, cwd=folder).strip()


@slow
@together
def test_the_package_fixtures_of_another_project_may_be_installed(
    environment: Environment, wheel: Path, tmp_path: Path
) -> None:
    environment.install(FOREIGN)  # after deadringer
    works(environment, tmp_path)
    foreign_works(environment, tmp_path)

    environment.uninstall("deadringer")
    foreign_works(environment, tmp_path)

    environment.install("--no-deps", wheel)  # before deadringer
    works(environment, tmp_path)
    foreign_works(environment, tmp_path)

    environment.uninstall("fixtures")
    works(environment, tmp_path)
    assert environment.python(
        "import importlib.util; print(importlib.util.find_spec('fixtures'))", cwd=tmp_path
    ).startswith("None")


PLUGIN_TEST = """
import httpx

def test_the_plugin(execution_api, execution_factory, assert_keeps_contract):
    run = execution_api.put(execution_factory(status="failed"))
    assert_keeps_contract(httpx.get(run.url, headers=execution_api.headers))
"""


@pytest.fixture
def project(tmp_path: Path, kind: str) -> Path:
    """A project with folders of these names, with `__init__.py` or without, and tests."""
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"NAME = {folder!r}\n")
        if kind == "packages":
            (tmp_path / folder / "__init__.py").write_text("OWNER = 'the project'\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_plugin.py").write_text(PLUGIN_TEST)
    own = "".join(f"from {folder} import mine as {folder}\n" for folder in FOLDERS)
    own += f"def test_own(): assert [{', '.join(f'{name}.NAME' for name in FOLDERS)}]"
    (tmp_path / "tests" / "test_own.py").write_text(f"{own} == {list(FOLDERS)!r}\n")
    return tmp_path


@slow
@together
@pytest.mark.parametrize("kind", ["packages", "folders"])
@pytest.mark.parametrize("way", ["ini", "variable", "importlib"])
def test_a_project_with_folders_of_these_names_tests_beside_the_plugin(
    environment: Environment, project: Path, way: str
) -> None:
    if way == "ini":
        (project / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    command = ("-m", "pytest", "-W", "error", "-q", "-p", "no:cacheprovider")

    done = environment.run(
        *("python", *(("-P",) if way != "importlib" else ()), *command),
        *(("--import-mode=importlib",) if way == "importlib" else ()),
        cwd=project,
        **({"PYTHONPATH": "."} if way == "variable" else {}),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@slow
@together
@pytest.mark.parametrize(("kind", "mode"), [("packages", "prepend"), ("folders", "importlib")])
def test_a_project_with_folders_of_these_names_runs_the_suite(
    environment: Environment, project: Path, mode: str
) -> None:
    suite = ("--pyargs", "deadringer.contracts.suite", "tests/test_own.py")
    quick = ("--deadringer-quick", "--deadringer-watch", "0", "-q", "-p", "no:cacheprovider")
    with environment.serving("--rate-limit", "off", cwd=project) as (url, key):
        address = ("--deadringer-url", url, "--deadringer-key", key)
        done = environment.run(
            *("python", "-m", "pytest", f"--import-mode={mode}", *suite, *address, *quick),
            cwd=project,
            PYTHONPATH=".",
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 50


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository that match one of the patterns."""
    command = ["git", "ls-files", "-z", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_file_imports_by_the_name_of_a_folder() -> None:
    files = tracked("*.py", "*.md", "*.js", "*.html", "*.yaml", "*.yml", "*.toml", ".ci/*")

    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        if path.is_file()
        for line in OLD_IMPORT.findall(path.read_text("utf-8"))
    ]

    assert len(files) > 300
    assert found == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_import_by_the_name_of_a_folder_is_found(folder: str) -> None:
    for line in (f"import {folder}", f"    from {folder}.rules import x", f'"import {folder}\\n"'):
        assert OLD_IMPORT.search(f"text\n{line}\n"), line
    for line in (f"from deadringer import {folder}", f"import deadringer.{folder}"):
        assert not OLD_IMPORT.search(f"text\n{line}\n"), line


def test_every_module_that_a_text_runs_exists() -> None:
    texts = [path.read_text("utf-8") for path in tracked("*.md", "*.py", "*.yml", "Makefile")]
    run = {name for text in texts for name in re.findall(r"python -m (deadringer(?:\.\w+)*)", text)}

    assert run
    assert [name for name in sorted(run) if importlib.util.find_spec(name) is None] == []


@slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs make")
def test_mypy_finds_an_error_in_every_place(tmp_path: Path) -> None:
    places = ["package/deadringer/__main__.py", "contracts/timestamps.py"]
    places += ["fixtures/factory.py", "mockserver/exceptions.py"]
    for folder in ("package", *FOLDERS, ".mypy_cache"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, tmp_path / folder)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / name, tmp_path / name)
    for place in places:
        with (tmp_path / place).open("a") as file:
            file.write("\n_planted: int = 'text'\n")

    # `-o`: the environment is made, whatever the dates of the copied files are.
    options = [f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready"]
    done = subprocess.run(
        ["make", "--silent", "types", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    found = re.findall(r"^build/names/deadringer/(\S+?):\d+: error: ", done.stdout, re.MULTILINE)
    assert done.returncode != 0
    assert sorted(found) == sorted(place.removeprefix("package/deadringer/") for place in places)
