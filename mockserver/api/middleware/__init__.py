"""The WSGI layers around the API: contract faults, journal, response cache."""
