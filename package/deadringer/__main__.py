"""Run the command `deadringer` as `python -m deadringer`."""

from deadringer.mockserver.cli import main

if __name__ == "__main__":
    main(prog_name="deadringer")
