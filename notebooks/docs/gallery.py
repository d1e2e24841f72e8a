"""The gallery: the first picture of each notebook, as it is stored, linked to the notebook."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any


def write_gallery(source: Path) -> None:
    """Write ``gallery.md`` and its pictures."""
    pictures = source / "pictures"
    pictures.mkdir()
    cards = ["# Gallery", "", "The pictures are the stored outputs of the notebooks; each card opens its notebook.", ""]
    names = [path.stem for path in sorted(source.glob("[0-9d]*.ipynb"))]
    cards += ["::::{grid} 1 2 3 3", ":gutter: 3", ""]
    for path in sorted(source.glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        picture = _picture(cells)
        if picture is not None:
            (pictures / f"{path.stem}.png").write_bytes(picture)
        title = "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
        image = f":img-top: pictures/{path.stem}.png\n" if picture else ""
        cards += [f":::{{grid-item-card}} {title}\n:link: {path.stem}\n:link-type: doc\n{image}:::\n"]
    (source / "gallery.md").write_text(
        "\n".join([*cards, "::::", "", "```{toctree}", ":hidden:", *names, "```", ""]), encoding="utf-8"
    )


def _picture(cells: list[Any]) -> bytes | None:
    found = [
        output["data"]["image/png"]
        for cell in cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    return base64.b64decode(found[0]) if found else None
