"""The phases of a check, one file each, in the order the runner calls them."""
