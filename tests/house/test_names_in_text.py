"""A name of the package in a docstring, a message or a page is one that exists."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "notebooks").rglob("*.md"), *(ROOT / "notebooks").rglob("*.ipynb")]
FILES = sorted([*(ROOT / "riskkit").rglob("*.py"), *PAGES])
NO_NAMES = {"riskkit.notebook", "riskkit.html", "riskkit.store", "riskkit.invalid"}  # a style, a file, a key, a domain


def exists(dotted: str) -> bool:
    """Whether a dotted name is that of a module, or of something in one."""
    found, path = importlib.import_module("riskkit"), "riskkit"
    for part in dotted.split(".")[1:]:
        path = f"{path}.{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(path)
            except ImportError:
                return False
    return True


INTERNAL = (  # words that only the authors of the package understand
    "as the loop counts", "deepest fall", "gone with", "its key is", "leave no trace", "one side gone", "have passed it",
    "since the begin", "judged anew",
)  # fmt: skip


def test_no_text_has_a_word_of_the_authors_alone():
    texts = {path: path.read_text(encoding="utf-8") for path in FILES if path.suffix in (".py", ".md")}
    assert [(path.name, words) for path, text in texts.items() for words in INTERNAL if words in text] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_of_the_package_exists(path):
    named = set(re.findall(r"(?<![\w./-])riskkit(?:\.[A-Za-z_]\w*)+(?!\.py\b)", path.read_text(encoding="utf-8")))
    assert [name for name in sorted(named - NO_NAMES) if not exists(name)] == []


def test_a_name_that_does_not_exist_is_found():
    assert exists("riskkit.var.historical") and exists("riskkit.read.read_log.read_log")
    assert not exists("riskkit.var.historical_risk")
