"""The mock in a test suite: pytest plugin, client of the control API, child process."""
