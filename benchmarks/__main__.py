"""``python -m benchmarks NAME``: run one benchmark and print its rows."""

from __future__ import annotations

import argparse
import importlib
import pkgutil

import benchmarks


def main() -> None:
    """Run the named benchmark; each is a module or folder here with a ``rows()`` generator."""
    names = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_")]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument(
        "--only", default="", help="run only the rows whose part is named so (models: var, covariance, ...)"
    )
    args = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{args.name}")
    for row in module.rows(args.only):
        print(row, flush=True)


if __name__ == "__main__":
    main()
