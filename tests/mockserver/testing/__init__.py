"""The pytest plugin, in real runs of pytest inside the test.

Those load no plugin but the ones named: Hypothesis and Schemathesis take seconds to import. That
the installed package brings the plugin along is shown by the wheel's test.
"""

PLUGIN = ("-p", "deadringer.mockserver.testing.plugin")
WITH_WORKERS = (*PLUGIN, "-p", "xdist")
