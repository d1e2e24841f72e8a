"""Colours, axes, labels and files: what every plot needs."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike
INK = "#333333"
PALE = "#8c8c8c"  # the recorded log
STRONG = "#0072B2"  # with limits
WARM = "#D55E00"
GRID = "#e4e4e4"
LOOKS = ((STRONG, ""), (WARM, "//"), (PALE, ".."), ("#E69F00", "xx"), ("#56B4E9", "\\\\"))
"""Colour and hatch of each part of a bar."""
DPI = 150  # of a report
LETTER = 0.08  # inches
FEWEST_TICKS = {
    0: 4,
    1: 6,
    3: 5,
    4: 5,
    5: 5,
    6: 5,
}  # of years, months, days, ... as `rrule` numbers them, with which any span fits
COUNT = 0.9  # inches of a count below an axis
HANDLE = 0.6  # inches of what stands before a name in a legend
ROW = 0.17  # inches of the name of a row, at least
NARROW = 5.0  # inches of axes on which ticks and legends of a page have no room


def axes(ax: Axes | None = None, *, width: float = 9.0, height: float = 3.4) -> Axes:
    """Return `ax`, or new axes in a figure of `width` by `height` inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def literal(name: Any) -> str:
    r"""A name as it is: matplotlib reads what stands between two dollars as mathematics, and fails where it is none.

    Examples
    --------
    >>> literal("US$/CA$")
    'US\\$/CA\\$'
    """
    return str(name).replace("$", "\\$")


def inches(ax: Axes) -> float:
    """Width of the axes."""
    return float(ax.get_window_extent().width / ax.figure.dpi)


def is_narrow(ax: Axes) -> bool:
    """True for axes without room for the ticks and legends of a page; what stands beside them has then taken its place."""
    if inches(ax) < NARROW:
        ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    return inches(ax) < NARROW


def names_beside(ax: Axes, names: Sequence[Any]) -> list[str]:
    """Names as they stand beside rows: the middle of those that would take the picture is left out."""
    return [literal(text) for text in shortened(names, max(16, int(4.5 * inches(ax))))]


def shortened(names: Sequence[Any], limit: int) -> list[str]:
    """Names of at most so many letters, without the middle of longer ones; as they are where two would be alike.

    Examples
    --------
    >>> shortened(["iShares MSCI World", "X"], 10)
    ['iShare…rld', 'X']
    """
    head = limit * 2 // 3
    texts = [str(name) for name in names]
    cut = [text if len(text) <= limit else f"{text[:head]}…{text[head + 1 - limit :]}" for text in texts]
    return cut if len(set(cut)) == len(set(texts)) else texts


def legible(shade: float) -> str:
    """Return the text colour on a diverging colour map at `shade` from 0 to 1: white on its dark ends."""
    return INK if 0.18 < shade < 0.82 else "white"


def money_scale(values: ArrayLike, currency: str) -> tuple[float, str]:
    """Return scale and label of the unit for amounts: 1, a thousand, a million or a billion of the currency.

    Examples
    --------
    >>> money_scale([-2_500_000.0, 10.0], "USD")
    (1000000.0, 'million USD')
    """
    largest = float(np.max(np.abs(np.asarray(values, float)), initial=0.0))
    for scale, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if largest >= scale:
            return scale, f"{word} {currency}"
    return 1.0, currency


def thousands(axis: Any) -> None:
    """Format the tick labels of an axis with commas between thousands; from ten billion on in billions (bn)."""
    axis.set_major_formatter(lambda value, _: _amount(value + 0.0).replace("-", "\N{MINUS SIGN}"))


def _amount(value: float) -> str:
    return f"{value / 1e9:,.10g} bn" if abs(value) >= 1e10 else f"{value:,.10g}"


def numbers_of_scenarios(ax: Axes) -> None:
    """Make the horizontal axis one of counts: logarithmic, with numbers at 1, 2 and 5 of each power of ten if there is room."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_xscale("log")
    low, high = ax.xaxis.get_view_interval()
    thousands(ax.xaxis)
    is_narrow(ax)
    room, decades = max(2, int(inches(ax) / COUNT)), math.log10(high / low)
    ax.xaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0)) if decades < max(1.0, room / 3.0) else LogLocator(numticks=room)
    )
    ax.xaxis.set_minor_formatter(NullFormatter())


def is_fractions(values: ArrayLike) -> bool:
    """True if 99 % of the values are below 1 in size, as returns are and P&L is not."""
    sizes = np.abs(np.asarray(values, float))
    sizes = sizes[np.isfinite(sizes)]
    return not sizes.size or float(np.quantile(sizes, 0.99)) < 1.0


def unit_axis(axis: Any, values: ArrayLike, unit: str | None = None) -> str:
    """Format an axis of returns as percentages and one of P&L with commas, and return its label.

    `unit` is "%" for returns or the currency of P&L; without it, values of which 99 % are below 1 in size are returns.
    """
    if unit == "%" or (unit is None and is_fractions(values)):
        percentages(axis)
        return "return"
    thousands(axis)
    return f"P&L, {literal(unit or 'money')}"


def percentages(axis: Any) -> None:
    """Format the tick labels of an axis of fractions as percentages."""
    axis.set_major_formatter(lambda value, _: f"{100.0 * value + 0.0:,.6g}%".replace("-", "\N{MINUS SIGN}"))


def line_style(i: int) -> dict[str, Any]:
    """Colour and dash of line `i` of several equal ones."""
    colours = (STRONG, WARM, "#009E73", "#CC79A7", INK, "#E69F00", "#56B4E9")
    return {"color": colours[i % len(colours)], "ls": ("-", "--", "-.", ":")[i % 4]}


def dress(ax: Axes, title: str) -> None:
    """Set a left-aligned title, remove the frame at the top and the right, and keep dates short enough to stand apart."""
    from matplotlib.category import StrCategoryLocator
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import AutoLocator, FixedLocator, MaxNLocator

    locator = ax.xaxis.get_major_locator()
    narrow = is_narrow(ax)
    if isinstance(locator, AutoDateLocator):
        if narrow:
            few = {unit: max(least, int(inches(ax) / COUNT)) for unit, least in FEWEST_TICKS.items()}
            locator = AutoDateLocator(minticks=2, maxticks=few)  # type: ignore[no-untyped-call]
            ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    if narrow and isinstance(locator, AutoLocator):  # so that amounts of nine digits stand apart
        ax.xaxis.set_major_locator(MaxNLocator(max(2, int(inches(ax) / 1.2)), steps=[1, 2, 2.5, 5, 10]))
    if isinstance(ax.yaxis.get_major_locator(), (FixedLocator, StrCategoryLocator)):  # a row each: as many as fit
        every = math.ceil(len(ax.get_yticks()) * ROW / (ax.get_window_extent().height / ax.figure.dpi))
        for place, tick in enumerate(ax.get_yticklabels()):
            tick.set_visible(place % every == 0)
    ax.set_title(literal(_lines(ax, title) if narrow else title), loc="left", color=INK, wrap=not narrow)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK)
    if narrow:  # a layout keeps the room of the ticks before it
        ax.figure.draw_without_rendering()  # type: ignore[union-attr]


def _lines(ax: Axes, title: str) -> str:
    """A title in lines that end at the edge of the picture; matplotlib's own wrapping leaves many lines no room."""
    letter = 0.6 * float(ax.title.get_fontsize()) / 72.0
    room = (ax.figure.bbox.x1 - ax.get_window_extent().x0) / ax.figure.dpi
    return "\n".join(textwrap.fill(line, max(12, int(room / letter))) for line in title.split("\n"))


def legend_below(ax: Axes, *, columns: int | None = None) -> None:
    """Put the legend below the axes, where it hides nothing."""
    from matplotlib.transforms import ScaledTranslation

    down = ScaledTranslation(0.0, -0.52, ax.figure.dpi_scale_trans)  # below, at any height
    anchor: dict[str, Any] = {"bbox_to_anchor": (0.0, 0.0), "bbox_transform": ax.transAxes + down}
    names = len(ax.get_legend_handles_labels()[1])
    if columns is None:
        entry = LETTER * max(map(len, ax.get_legend_handles_labels()[1]), default=0) + HANDLE
        columns = names if not is_narrow(ax) else min(names, max(1, int(inches(ax) / entry)))
    ax.legend(frameon=False, loc="upper left", borderaxespad=0.0, ncols=columns, **anchor)


def thin_ticks(axis: Any, texts: Sequence[str], limit: int) -> None:
    """Label every k-th position of an axis, so that there are at most `limit` ticks."""
    shown = range(0, len(texts), max(1, -(-len(texts) // limit)))
    axis.set_ticks(list(shown), [literal(texts[i]) for i in shown])


def png(draw: Callable[[Axes], Any], *, width: float = 9.0, height: float = 3.4) -> bytes:
    """Return the plot that `draw` makes on given axes as PNG; equal plots give equal bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # user settings must not change a report
        matplotlib.rc("font", size=9)
        matplotlib.rc("axes", titlesize=11)
        figure: Figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()
