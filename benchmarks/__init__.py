"""How fast it is, as ratios against named others in one run; not shipped, imported by no room."""
