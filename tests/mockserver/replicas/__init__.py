"""Several mocks that share their state over a Redis server."""
