"""Formulas drawn by matplotlib when the pages are built, so that nothing has to be loaded from the network."""

from __future__ import annotations

import html
import io
import re
from typing import Any

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
    _put(page, svg(node.astext()))


def block(page: Any, node: Any) -> None:
    """Draw a formula by itself."""
    _put(page, f'<div class="formula">{svg(node.astext())}</div>')


def _put(page: Any, text: str) -> None:
    """Write a text into a page instead of the node that is visited."""
    from docutils.nodes import SkipNode  # of the environment of the documentation, which `make test` does without

    page.body.append(text)
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """The renderer ``mathtext`` for ``html_math_renderer``."""
    app.add_html_math_renderer("mathtext", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
