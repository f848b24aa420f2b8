"""The WSGI middleware around the API: response cache, journal, request log."""
