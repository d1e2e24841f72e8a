"""Formulas drawn by matplotlib when the pages are built, so that nothing has to be loaded from the network."""

from __future__ import annotations

import html
import io
import re
from typing import Any

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

POINTS = 11.0


def svg(formula: str) -> str:
    """A formula as SVG that stands on the line of its text and has its colour."""
    file = io.StringIO()
    depth = math_to_image(f"${' '.join(formula.split())}$", file, FontProperties(size=POINTS), dpi=72, format="svg")
    drawn = re.sub(
        r"^.*?(?=<svg)|<metadata>.*?</metadata>|<g id=\"patch_1\">.*?</g>|<!--.*?-->|\n *",
        "",
        file.getvalue(),
        flags=re.S,
    )
    place = f'<svg style="vertical-align:{-depth / POINTS:.2f}em" fill="currentColor" role="img"'
    return drawn.replace("<svg", f'{place} aria-label="{html.escape(formula)}"', 1)


def inline(page: Any, node: Any) -> None:
    """Draw a formula in a line."""
    page.body.append(svg(node.astext()))
    raise nodes.SkipNode


def block(page: Any, node: Any) -> None:
    """Draw a formula by itself."""
    page.body.append(f'<div class="formula">{svg(node.astext())}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """The renderer ``mathtext`` for ``html_math_renderer``."""
    app.add_html_math_renderer("mathtext", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
