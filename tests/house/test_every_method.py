"""Every public method and property of a public class is used by a test, a doctest, a notebook or the package itself.

Used means named after a dot, as a text (for a test that goes over names), or defined in a subclass. `make coverage` says
whether what the package uses is reached; this finds what nobody calls.
"""

import ast
import inspect
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from riskkit.api import public_names

ROOT = Path(__file__).parents[2]
PUBLIC = [getattr(import_module(public.module), public.name) for public in public_names()]
CLASSES = sorted({public for public in PUBLIC if inspect.isclass(public)}, key=str)


def code_that_runs() -> str:
    """All tests, doctests and cells of notebooks, and the package without its texts."""
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    modules = [path.read_text(encoding="utf-8") for path in (ROOT / "riskkit").rglob("*.py")]
    package = [
        f".{node.attr}" for text in modules for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)
    ]
    doctests = [line for text in modules for line in re.findall(r"^ *(?:>>>|\.\.\.) (.*)$", text, re.M)]
    books = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "notebooks").glob("*.ipynb")]
    cells = ["".join(cell["source"]) for book in books for cell in book["cells"] if cell["cell_type"] == "code"]
    return "\n".join([*tests, *package, *doctests, *cells])


def methods_of(kind: type) -> set[str]:
    """Public methods and properties of a class that riskkit defines."""
    owners = [owner for owner in kind.__mro__ if owner.__module__.startswith("riskkit.")]
    fields = {name for owner in owners for name in getattr(owner, "__annotations__", {})}
    return {
        name
        for owner in owners
        for name, member in vars(owner).items()
        if hasattr(member, "__get__")
        and not inspect.isclass(member)
        and not name.startswith("_")
        and name not in fields
    }


USED = set(re.findall(r"(?:\.|[\"']|\bdef )(\w+)", code_that_runs()))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_public_method_is_used_in_a_test(kind):
    assert methods_of(kind) - USED == set()


def test_a_new_method_would_be_found():
    class Report:
        __module__ = "riskkit.report"

        @property
        def unheard_of(self) -> int: ...

        def _private(self) -> int: ...

    assert methods_of(Report) - USED == {"unheard" + "_of"}
