"""Generated requests: Schemathesis generates them, the rules validate the responses."""
