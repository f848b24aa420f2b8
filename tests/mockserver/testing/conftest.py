"""Pytest inside pytest, without the plugins that happen to be installed."""

import pytest


@pytest.fixture(autouse=True)
def only_the_named_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
