"""The import package: `deadringer.contracts`, `deadringer.fixtures`, `deadringer.mockserver`.

In a checkout these three are folders at the root of the repository; in an installed wheel they are
beside this file.
"""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

if not (Path(__file__).parent / "contracts").is_dir():  # a checkout
    __path__.append(str(_ROOT))
