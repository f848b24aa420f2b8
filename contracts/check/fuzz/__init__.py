"""Generated requests: Schemathesis generates, our rules validate."""
