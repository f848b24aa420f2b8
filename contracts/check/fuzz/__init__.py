"""Generated requests: Schemathesis finds, our rules judge."""
