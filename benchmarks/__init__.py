"""Benchmarks: speed as ratios against named tools in one run. Not part of the package."""
