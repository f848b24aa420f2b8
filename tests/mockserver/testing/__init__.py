"""The pytest plugin, tested by real runs of pytest inside the tests.

They load only the named plugins: Hypothesis and Schemathesis take seconds to import. The test of
the wheel proves that the installed package registers the plugin.
"""

PLUGIN = ("-p", "deadringer.mockserver.testing.plugin")
WITH_WORKERS = (*PLUGIN, "-p", "xdist")
