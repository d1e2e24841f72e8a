"""The picture of the house in README.md is true: imports flow one way, and every file is in it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "riskkit"


def house() -> list[str]:
    """The modules in the order in which README.md draws them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\nriskkit/\n(.*?)```", text, re.S)
    assert block, "README.md has no picture of the house"
    modules, folders = [], []
    for line in block[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        folders = folders[: depth - 1]
        if name.endswith("/"):
            folders.append(name[:-1])
        elif name.endswith(".py"):
            modules.append(name[:-3])
        else:  # the files of a package, in their order
            inside = [word for word in line.split() if word != "·"]
            modules += [".".join(["riskkit", *folders, word]).removesuffix(".__init__") for word in inside]
    return [name if name.startswith("riskkit") else f"riskkit.{name}".removesuffix(".__init__") for name in modules]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_file_is_in_the_picture():
    assert sorted(house()) == sorted(map(module_name, FILES))


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_only_from_above(path):
    order = house()
    own = order.index(module_name(path))
    above = set(order[:own])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskkit"):
            targets = [
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in order else node.module
                for alias in node.names
            ]
        elif isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names if alias.name.startswith("riskkit")]
        for target in targets:
            assert target in above, f"{path.name}:{node.lineno} imports {target}, which is not above it in README.md"
