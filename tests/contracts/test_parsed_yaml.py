"""Cached YAML equals parsed YAML, with any content of the cache file."""

import json
import sys

import pytest
import yaml

from deadringer.contracts import load_specification, specification_text
from deadringer.contracts.parsed_yaml import parsed_yaml

TEXT = "paths: {/a: {get: {summary: One}}}\n"
ONE = {"paths": {"/a": {"get": {"summary": "One"}}}}


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Return the folder of the cache: a temporary one."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


@pytest.fixture
def copy(folder):
    """Return the only cache file."""
    parsed_yaml(TEXT, "a.yaml", is_cached=True)
    (found,) = (path for path in folder.rglob("*") if path.is_file())
    return found


def test_the_promise_is_what_its_file_says():
    assert load_specification() == yaml.safe_load(specification_text())


def test_a_copy_of_the_same_text_is_used(copy, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)  # as if it were not installed

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE


def test_another_text_is_parsed_and_kept_instead(copy):
    other = TEXT.replace("One", "Two")

    assert parsed_yaml(other, "a.yaml", is_cached=True) == yaml.safe_load(other)
    assert json.loads(copy.read_text().splitlines()[1]) == yaml.safe_load(other)
    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE


@pytest.mark.parametrize("damage", ["", "{", "seal\n{}", "[" * 200_000, "\udcff"])
def test_a_damaged_copy_is_replaced(copy, damage):
    whole = copy.read_text()
    copy.write_bytes(damage.encode("utf-8", "surrogateescape"))

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE
    assert copy.read_text() == whole


def test_an_altered_copy_is_not_believed(copy):
    whole = copy.read_text()
    copy.write_text(whole.replace("One", "Two"))

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE
    assert copy.read_text() == whole


@pytest.mark.parametrize("text", ["a: 2026-11-25\n", "200: ok\n"])
def test_what_json_would_change_is_not_kept(folder, text):
    assert parsed_yaml(text, "a.yaml", is_cached=True) == yaml.safe_load(text)
    assert not list(folder.rglob("*.json"))


def test_nothing_is_cached_where_no_byte_code_is(monkeypatch, folder):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE
    assert not list(folder.iterdir())


def test_an_installed_package_keeps_nothing(folder):
    assert parsed_yaml(TEXT, "a.yaml", is_cached=False) == ONE
    assert not list(folder.iterdir())


def test_a_failed_write_leaves_nothing_behind(copy):
    copy.unlink()
    copy.mkdir()

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE
    assert list(copy.parent.iterdir()) == [copy]


def test_a_place_that_cannot_be_written_is_no_trouble(monkeypatch, folder):
    (folder / "file").write_text("no folder")
    monkeypatch.setattr(sys, "pycache_prefix", str(folder / "file"))

    assert parsed_yaml(TEXT, "a.yaml", is_cached=True) == ONE
