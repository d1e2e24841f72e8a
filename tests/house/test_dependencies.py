"""The lists of versions: the lowest ones are those that pyproject.toml names."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

OF_OTHERS = {"pyparsing": Version("3.2.5")}  # matplotlib 3.9 uses names of it that later ones warn of


def pinned(name):
    lines = (ROOT / name).read_text(encoding="utf-8").split()
    return {re.sub("_", "-", label): Version(version) for label, version in (line.split("==") for line in lines)}


def test_make_lowest_takes_the_lowest_version_of_each_dependency():
    chosen = [*PROJECT["dependencies"], *EXTRAS["garch"], *EXTRAS["shrinkage"], *EXTRAS["cluster"], *EXTRAS["store"]]
    needed = [Requirement(text) for text in chosen]
    lowest = {one.name: Version(next(iter(one.specifier)).version) for one in needed}
    assert {str(one.specifier)[:2] for one in needed} == {">="}
    assert pinned("tests/constraints-lowest.txt") == {**lowest, **OF_OTHERS, "distributed": lowest["dask"]}


def test_the_versions_that_are_tested_are_admitted():
    newest = pinned("constraints.txt")
    for text in [*PROJECT["dependencies"], *(text for texts in EXTRAS.values() for text in texts)]:
        one = Requirement(text)
        assert newest[one.name] in one.specifier


def test_who_installs_the_notebooks_has_what_their_chapters_fit_learn_and_price_with():
    assert {*EXTRAS["garch"], *EXTRAS["learn"], *EXTRAS["pricing"]} <= {*EXTRAS["notebooks"]}
