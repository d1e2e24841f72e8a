"""Notebooks are committed with their outputs: nbval passes one that was never run, so this looks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import riskkit

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_was_run_from_top_to_bottom(path):
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        last = "".join(cell["source"]).strip().splitlines()[-1]
        assert not last.endswith(";")
        if not last.lstrip().startswith(("assert", "import")):
            assert cell["outputs"], last


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
    assert [path.name[:2] for path in NUMBERED] == [f"{number:02d}" for number in range(19)]


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.name)
def test_a_chapter_says_what_its_data_are_looks_like_the_others_and_ends_with_the_readers_data(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert texts[0].startswith("# ") and re.search(r"\b(real|simulated|synthetic)\b", texts[0], re.I)
    assert any("## Try it on your data" in text for text in texts[-3:])
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert "plt.style.use" in code[0]
    assert sum(len(re.findall(r"^\s*assert ", text, re.M)) for text in code) >= 5
    for cell in cells:  # a number that is asserted is printed beside each picture
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ())):
            assert re.search(r"^\s*assert ", "".join(cell["source"]), re.M), "".join(cell["source"])[:80]


def test_the_map_names_every_chapter_and_functions_that_exist():
    assert re.findall(r"\((\d\d_\w+\.ipynb)\)", MAP) == [path.name for path in NUMBERED]
    rows = [line.split("|")[3] for line in MAP.splitlines() if line.startswith("| ") and ".ipynb" in line]
    for name in re.findall(r"`([\w.]+)`", " ".join(rows)):
        found: Any = riskkit
        for part in name.removeprefix("riskkit.").split("."):
            found = getattr(found, part)
