"""Lets `python -m mockserver` stand in for the command `deadringer`."""

from .cli import main

if __name__ == "__main__":
    main()
