"""The picture of the layers in CONTRIBUTING.md is true: imports go one way between its rooms, and in no circle inside one."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "riskkit").rglob("*.py"))
}


def rooms() -> list[str]:
    """The rooms (packages, and single files) in the order in which CONTRIBUTING.md draws them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```\nriskkit/\n(.*?)```", text, re.S)
    assert block, "CONTRIBUTING.md has no picture of the layers"
    found: list[str] = []
    folder = ""
    for line in block[1].splitlines():
        names = line.strip().split("  ")[0].split(" · ")
        for name in names:
            if line.startswith("    "):
                found.append(f"riskkit.{folder}.{name.rstrip('/').removesuffix('.py')}")
            else:
                folder = name.rstrip("/")
                found.append(f"riskkit.{folder.removesuffix('.py')}".removesuffix(".__init__"))
    return found


ROOMS = rooms()


def room_of(module: str) -> str:
    """The innermost room of the picture that a module is in."""
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len)


def imports_of(module: str, *, at_run_time: bool = False) -> set[str]:
    """The modules of riskkit that a module imports, at top level or inside a function."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    unseen = {
        node
        for branch in ast.walk(tree)
        if at_run_time and isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found = set()
    for node in set(ast.walk(tree)) - unseen:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskkit"):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in FILES}
    return found


def test_the_picture_names_each_room_once_and_every_file_has_one():
    assert len(ROOMS) == len(set(ROOMS))
    assert len(ROOMS) <= 60
    for room in ROOMS:
        assert room == "riskkit" or any(f"{module}.".startswith(f"{room}.") for module in FILES), room
    top = {module for module in FILES if module != "riskkit" and room_of(module) == "riskkit"}
    assert not top, f"not in the picture of CONTRIBUTING.md: {sorted(top)}"


@pytest.mark.parametrize("module", FILES)
def test_a_room_imports_only_from_rooms_above_it(module):
    own = room_of(module)
    above = ROOMS[: ROOMS.index(own) + 1]
    for target in imports_of(module):
        assert room_of(target) in above, f"{module} imports {target}, which CONTRIBUTING.md draws below it"


@pytest.mark.lengthy
def test_no_file_imports_itself_through_others():
    graph = {module: imports_of(module, at_run_time=True) - {module} for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"files import each other in a circle: {' -> '.join(error.args[1])}")
