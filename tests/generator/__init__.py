"""Specifications of the generator and of the Hypothesis strategies."""
