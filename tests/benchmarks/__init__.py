"""The benchmark driver, on small real runs."""
