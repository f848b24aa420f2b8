"""Specifications of the generator: what `fixtures.generator` and `fixtures.strategies` promise."""
