"""Notebooks are committed with their outputs: nbval passes one that was never run, so this looks."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import riskkit


def code_of(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def is_check(cell: dict[str, Any]) -> bool:
    """Whether a cell is tagged as one that only checks."""
    return "check" in cell["metadata"].get("tags", ())


NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_was_run_from_top_to_bottom(path):
    cells = code_of(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        last = "".join(cell["source"]).strip().splitlines()[-1]
        assert not last.endswith(";")
        if not (is_check(cell) or (after and is_check(after)) or last.lstrip().startswith("import")):
            assert cell["outputs"], last


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_checks_stand_in_cells_of_their_own_which_are_collapsed(path):
    """A check of what changes within its cell, as a breaker that trips and is reset, stays where it is."""
    left = 0
    for cell in code_of(path):
        body = ast.parse("".join(cell["source"])).body
        asserts = [isinstance(statement, ast.Assert) for statement in body]
        left += 0 if is_check(cell) else sum(asserts)
        if is_check(cell):
            assert all(asserts) and not cell["outputs"]
            assert cell["metadata"] == {"jupyter": {"source_hidden": True}, "tags": ["check", "hide-cell"]}
    assert left <= 8


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_output_is_the_text_of_a_drawing(path):
    outputs = [output for cell in code_of(path) for output in cell["outputs"]]
    texts = [
        "".join(output.get("data", {}).get("text/plain", ""))
        for output in outputs
        if output["output_type"] == "execute_result"
    ]
    assert not [text for text in texts if re.match(r"\[?<(Axes|Figure|matplotlib)|array\(\[<|Text\(", text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_its_outputs_hold_no_error_no_warning_and_nothing_of_this_machine(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert "execution" not in cell["metadata"]  # when it was run
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error" and output.get("name") != "stderr"
            shown = json.dumps({kind: text for kind, text in output.get("data", output).items() if kind != "image/png"})
            assert not re.search(r"at 0x[0-9a-f]+|np\.(float|int)|/home/|/root/|/work/|Traceback|Warning", shown)


NUMBERED = [path for path in NOTEBOOKS if re.match(r"\d\d_", path.name)]
MAP = (Path(__file__).parents[2] / "notebooks" / "README.md").read_text(encoding="utf-8")


def test_the_notebooks_are_one_book():
    assert [path.name[:2] for path in NUMBERED] == [f"{number:02d}" for number in range(23)]


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.name)
def test_a_chapter_says_what_its_data_are_looks_like_the_others_and_ends_with_the_readers_data(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert texts[0].startswith("# ") and re.search(r"\b(real|simulated|synthetic)\b", texts[0], re.I)
    assert any("## Try it on your data" in text for text in texts[-3:])
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert "plt.style.use" in code[0]
    assert sum(len(re.findall(r"^\s*assert ", text, re.M)) for text in code) >= 5
    drawn = code_of(path)
    for cell, after in zip(drawn, [*drawn[1:], None], strict=True):  # what a picture says is checked beside it
        if any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            assert after and is_check(after), "".join(cell["source"])[:80]


def test_the_map_names_every_chapter_and_functions_that_exist():
    linked = re.findall(r"^\| \[(\d\d) (.+?)\]\((\w+\.ipynb)\)", MAP, re.M)
    titles = ["".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]) for path in NUMBERED]
    first = [title.splitlines()[0].removeprefix("# ") for title in titles]
    assert linked == [(path.name[:2], title, path.name) for path, title in zip(NUMBERED, first, strict=True)]
    rows = [line.split("|")[3] for line in MAP.splitlines() if line.startswith("| ") and ".ipynb" in line]
    for name in re.findall(r"`([\w.]+)`", " ".join(rows)):
        found: Any = riskkit
        for part in name.removeprefix("riskkit.").split("."):
            found = getattr(found, part)
