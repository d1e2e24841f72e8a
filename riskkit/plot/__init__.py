"""Plots of plain arrays, on given or new axes; results call these functions.

Colours are those of Okabe and Ito, distinguishable with colour blindness; position, dash or label repeat what a colour
shows. Font sizes are left to the style (`plt.style.use("riskkit.notebook")`). matplotlib is imported by the first plot.
"""

from riskkit.plot.bars import bars, changes, changes_height, shares, shares_height
from riskkit.plot.basics import (
    INK,
    LOOKS,
    PALE,
    STRONG,
    WARM,
    axes,
    dress,
    is_fractions,
    is_narrow,
    legend_below,
    legible,
    line_style,
    literal,
    money_scale,
    names_beside,
    numbers_of_scenarios,
    percentages,
    png,
    thousands,
    unit_axis,
)
from riskkit.plot.limits import exceedances, threshold
from riskkit.plot.losses import loss_histogram, loss_text, losses_over_time
from riskkit.plot.matrices import correlations, heat, signed
from riskkit.plot.over_time import FALLS_HEIGHT, TimeAxis, curves, falls, lanes, lanes_height

__all__ = [
    "FALLS_HEIGHT",
    "INK",
    "LOOKS",
    "PALE",
    "STRONG",
    "TimeAxis",
    "WARM",
    "axes",
    "bars",
    "changes",
    "changes_height",
    "correlations",
    "curves",
    "dress",
    "exceedances",
    "falls",
    "is_fractions",
    "is_narrow",
    "heat",
    "lanes",
    "lanes_height",
    "legend_below",
    "legible",
    "line_style",
    "literal",
    "loss_histogram",
    "loss_text",
    "losses_over_time",
    "money_scale",
    "names_beside",
    "numbers_of_scenarios",
    "percentages",
    "png",
    "shares",
    "shares_height",
    "signed",
    "thousands",
    "unit_axis",
    "threshold",
]
