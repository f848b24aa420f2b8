"""The documented operations over HTTP."""
