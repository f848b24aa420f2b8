"""Coverage: the catalogue of items, the tally and its report."""
