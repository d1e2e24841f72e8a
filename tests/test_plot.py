"""Drawings: what stands on the axes, and that the same picture is the same bytes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from riskkit import plot

TIME = plot.TimeAxis(10.0, np.array([0.0, 5.0]), ["2020", "2021"], "UTC")


@pytest.fixture
def ax():
    return Figure(figsize=(9, 3)).subplots()


def texts(ax) -> set[str]:
    return {text.get_text().strip() for text in ax.texts}


def test_curves_are_named_at_their_ends_without_meeting(ax):
    x = np.arange(11)
    assert plot.curves(x, {"one": x * 1.0, "two": x * 1.001}, label="profit, USD", title="t", time=TIME, ax=ax) is ax
    assert texts(ax) == {"one", "two"}
    low, high = (text.xy[1] for text in sorted(ax.texts, key=lambda text: text.xy[1]))
    assert high - low >= 0.05 * np.diff(ax.get_ylim())[0]
    assert ax.get_ylabel() == "profit, USD" and ax.get_xlabel() == "UTC"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2020", "2021"]
    assert ax.get_xlim() == (0.0, 10.0)


def test_falls_hang_from_zero(ax):
    fall = np.array([0.0, 2.0, 1.0])
    plot.falls(np.arange(3), {"one": fall}, label="USD", title="t", time=TIME, ax=ax)
    assert ax.lines[0].get_ydata().tolist() == [-0.0, -2.0, -1.0]
    assert ax.yaxis.get_major_formatter()(-2.0, 0) == "2"


def test_lanes_count_what_happened(ax):
    places = {"rate": np.array([0.0, 0.01, 9.9]), "size": np.array([5.0])}
    plot.lanes(places, notes={"rate": "3 refused"}, title="4 of 9", time=TIME, ax=ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["size", "rate\n3 refused"]
    assert texts(ax) == {"highest bar: 2", "highest bar: 1"}
    assert sum(bar.get_height() > 0 for bar in ax.patches) == 3


def test_lanes_of_nothing_are_empty_axes(ax):
    plot.lanes({}, notes={}, title="0 of 9", time=plot.TimeAxis(1.0, np.zeros(0), [], "UTC"), ax=ax)
    assert not ax.patches


def test_changes_have_a_row_for_each_name(ax):
    plot.changes(["a", "b"], [1.0, 2.0], [3.0, 1.0], labels=("before", "after"), unit="USD", title="t", ax=ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    before, after = ax.lines[:2]
    assert before.get_xdata().tolist() == [1.0, 2.0] and after.get_xdata().tolist() == [3.0, 1.0]
    assert before.get_markerfacecolor() != after.get_markerfacecolor()  # not by colour alone: one is open


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ([5.0, -3.0], (1.0, "USD")),
        ([1_500.0], (1e3, "thousand USD")),
        ([-2e9], (1e9, "billion USD")),
        ([], (1.0, "USD")),
    ],
)
def test_money_is_scaled_to_what_it_is(values, answer):
    assert plot.money_scale(values, "USD") == answer


def test_numbers_of_an_axis_have_their_thousands_apart(ax):
    ax.plot([-2_000_000.0, 3_000_000.0], [0.1, 0.30000000000000004])
    plot.thousands(ax.xaxis)
    plot.thousands(ax.yaxis)
    shown = ax.xaxis.get_major_formatter()
    assert (shown(-1_234_567.5), shown(0.1 + 0.2), shown(-0.0)) == ("\N{MINUS SIGN}1,234,567.5", "0.3", "0")


def test_tables_of_colours_have_no_grid_in_any_style():
    import matplotlib.pyplot as plt

    with plt.style.context("riskkit.notebook"):
        pictures = [
            plot.heat([[1.0, 2.0]], ["a", "b"], ["c"], names=("x", "y"), title="t"),
            plot.signed([[1.0, -2.0]], ["a", "b"], ["c"], max_abs=2.0, title="t"),
        ]
        for drawn in pictures:
            assert not any(line.get_visible() for line in [*drawn.get_xgridlines(), *drawn.get_ygridlines()])


def test_the_same_picture_is_the_same_bytes_whatever_the_reader_likes():
    import matplotlib

    def draw(ax):
        plot.curves(np.arange(3), {"one": np.array([0.0, 1.0, 0.5])}, label="USD", title="t", time=TIME, ax=ax)

    plain = plot.png(draw)
    with matplotlib.rc_context({"font.size": 30, "figure.facecolor": "red"}):
        assert plot.png(draw) == plain
        assert matplotlib.rcParams["font.size"] == 30
    assert plain.startswith(b"\x89PNG")
    assert len(plot.png(draw, height=2.0)) != len(plain)


def test_axes_are_made_where_none_are_given():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    made = plot.axes(None, height=2.0)
    assert made.figure.get_size_inches().tolist() == [9.0, 2.0]
    plt.close(made.figure)


def test_the_tail_beyond_the_first_line_is_shaded_and_the_losses_are_named():
    values = np.array([-0.05, -0.03, 0.0, 0.01, 0.02] * 20)
    ax = plot.loss_histogram(values, {"VaR 95%": 0.04, "ES 95%": 0.05}, title="t")
    body, tail = (sum(bar.get_height() for bar in part) for part in ax.containers)
    edges = {round(bar.get_x(), 12) for bar in ax.patches}
    assert (body, tail) == (80, 20) and -0.04 in edges, "VaR is the edge of a bar"
    assert [text.get_text() for text in ax.texts] == ["VaR 95%: 4.00%", "ES 95%: 5.00%"]
    money = plot.loss_histogram(1e6 * values, {"VaR": 40_000.0}, title="t", unit="USD")
    assert money.get_xlabel() == "P&L, USD"
    assert [text.get_text() for text in money.texts] == ["VaR: 40,000"]


def test_shares_are_percentages_side_by_side():
    ax = plot.shares({"money": [0.75, 0.25], "risk": [1.1, -0.1]}, ["a", "b"], label="share", title="t")
    assert [round(bar.get_width(), 6) for bar in ax.patches] == [0.75, 0.25, 1.1, -0.1]
    assert ax.xaxis.get_major_formatter()(-0.1, None) == "\N{MINUS SIGN}10%"


@pytest.mark.parametrize(
    ("unit", "sizes", "label", "shown"),
    [
        (None, 0.02, "return", "1%"),
        (None, 2_000.0, "P&L, money", "1,000"),
        ("USD", 0.02, "P&L, USD", "0.01"),
        ("%", 2.0, "return", "100%"),
        (None, np.nan, "return", "100%"),
    ],
)
def test_an_axis_is_of_returns_or_of_money(ax, unit, sizes, label, shown):
    assert plot.unit_axis(ax.xaxis, [sizes, -sizes], unit) == label
    half = 1.0 if np.isnan(sizes) else sizes / 2.0
    assert ax.xaxis.get_major_formatter()(half, None) == shown


def test_hits_are_dots_and_counted():
    ax = plot.losses_over_time(range(4), [0.01, -0.03, 0.0, -0.01], {"VaR": [0.02] * 4, "ES": [0.025] * 4}, title="t")
    assert ax.lines[-1].get_xydata().tolist() == [[1.0, -0.03]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["VaR", "ES", "1 hit"]


def test_thresholds_that_were_tried_are_markers_and_the_present_one_is_named(ax):
    drawn = plot.threshold(
        [1, 2, 4], [0.5, 0.25, 0.0], 2, name="limit, USD", title="t", tried=True, fractions=True, ax=ax
    )
    line, _, now = drawn.lines
    assert line.get_marker() == "o" and now.get_xydata().tolist() == [[2.0, 0.25]]
    assert texts(ax) == {"now: 2"} and ax.yaxis.get_major_formatter()(0.25, None) == "25%"


def test_errors_are_drawn_beside_the_last_part(ax):
    plot.shares({"money": [0.5], "risk": [0.25]}, ["a"], label="share", title="t", errors=[0.1], ax=ax)
    assert ax.collections[-1].get_segments()[0] == pytest.approx(np.array([[0.15, -0.2], [0.35, -0.2]]))
    bars = plot.bars({"risk": [5.0]}, ["a"], label="USD", title="t", errors=[1.0])
    assert bars.collections[-1].get_segments()[0] == pytest.approx(np.array([[4.0, 0.0], [6.0, 0.0]]))
    assert not bars.texts


def test_a_long_title_stays_within_its_figure(ax):
    plot.dress(ax, "a verdict that names everything that is wrong with a forecast; " * 4)
    ax.figure.draw_without_rendering()
    extent = ax._left_title.get_window_extent()
    assert (
        extent.x1 <= ax.figure.bbox.x1 and extent.height > 2 * ax.xaxis.get_ticklabels()[0].get_window_extent().height
    )


NAMES = ["iShares Core MSCI World UCITS ETF USD (Acc) Class B hedged", "iShares Core MSCI World UCITS ETF EUR", "$A $B"]


@pytest.mark.parametrize("inches", [3.9, 14.4])
def test_long_names_are_cut_in_the_middle_and_stay_different(inches):
    _, ax = plt.subplots(figsize=(inches, 4))
    found = plot.names_beside(ax, NAMES)
    limit = max(16, int(4.5 * inches * 0.8))
    assert all(len(name) <= limit + 2 for name in found) and len(set(found)) == 3
    assert found[0].endswith("hedged"[-5:]) and "…" in found[0] and found[2] == r"\$A \$B"
    twins = [NAMES[0], NAMES[0].replace("World", "Wurld")]
    assert len(set(plot.names_beside(ax, twins))) == 2


@pytest.mark.parametrize("inches", [3.9, 14.4])
def test_ticks_and_legends_have_room_at_the_width_of_a_phone(inches):
    fig, ax = plt.subplots(figsize=(inches, 4))
    money = {"crash": -2e8, "rally": 1.5e8}
    plot.bars({"loss": list(money.values()), "gain": [1e8, 1e7]}, list(money), label="USD", title="t", ax=ax)
    fig.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.get_xticklabels() if text.get_text()]
    assert len(boxes) > 1 and not any(left.x1 > right.x0 for left, right in pairwise(boxes))
    fig, ax = plt.subplots(figsize=(inches, 4))
    time = plot.TimeAxis(10.0, list(range(10)), [f"03-05 {hour}:00" for hour in range(10, 20)], "UTC")
    plot.curves(
        [0.0, 10.0],
        {"enforce": [0.0, 1.0]},
        label="below peak at samples at most 156 min apart, USD",
        title="t",
        time=time,
        ax=ax,
    )
    fig.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.get_xticklabels() if text.get_text()]
    assert len(boxes) > 1 and not any(left.x1 > right.x0 for left, right in pairwise(boxes))


LONG = [
    "Allgemeine Elektrizitäts-Gesellschaft, Vorzugsaktien",
    "X",
    "iShares MSCI World Momentum Factor UCITS ETF (Acc)",
    "BRK.B",
]


@pytest.mark.parametrize("width", [10.0, 3.9])
def test_long_names_at_a_matrix_stand_apart_and_on_the_picture(width):
    figure = Figure(figsize=(width, 4.0), layout="constrained")
    ax = plot.correlations(np.eye(4) + 1e-4 * np.triu(-np.ones((4, 4)), 1), LONG, title="t", ax=figure.subplots())
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert all(label.get_window_extent().x0 >= 0 for label in ax.get_yticklabels())
    assert len({label.get_text() for label in ax.get_xticklabels()}) == 4
    assert "-0.00" not in {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("width", [10.0, 3.9])
def test_a_legend_of_long_names_is_within_the_picture(width):
    figure = Figure(figsize=(width, 3.4), layout="constrained")
    samples = {
        f"the limit of each order that the committee has decided on 2024-03-0{day}": [0.1, 0.5, 1.2] for day in (5, 6)
    }
    ax = plot.exceedances(samples, label="used / limit", title="t", ax=figure.subplots())
    FigureCanvasAgg(figure).draw()
    box = ax.get_legend().get_window_extent()
    assert (
        0 <= box.x0 and box.x1 <= figure.bbox.x1 and len({text.get_text() for text in ax.get_legend().get_texts()}) == 2
    )


def _apart(ax, labels) -> bool:
    """True if no two tick labels of what is in view meet."""
    FigureCanvasAgg(ax.figure).draw()
    room = ax.get_window_extent().padded(2.0)
    boxes = [tick.get_window_extent() for tick in labels if tick.get_visible() and tick.get_text()]
    seen = [
        box
        for box in boxes
        if room.x0 <= (box.x0 + box.x1) / 2 <= room.x1 or room.y0 <= (box.y0 + box.y1) / 2 <= room.y1
    ]
    return bool(seen) and not any(one.overlaps(two) for one, two in pairwise(seen))


@pytest.mark.parametrize(
    "days", [0.001, 0.02, 0.1, 0.9, 2, 3, 20, 45, 62, 90, 200, 365, 420, 600, 725, 735, 900, 3650, 14600]
)
@pytest.mark.parametrize("width", [3.2, 3.9, 9.0, 14.4])
def test_dates_of_any_length_stand_apart_at_any_width(days, width):
    ax = Figure(figsize=(width, 3), layout="constrained").subplots()
    ends = np.array(["2010-01-01", "2010-01-01"], "M8[us]") + np.array([0, int(days * 86_400e6)], "m8[us]")
    ax.plot(ends, [0, 1])
    ax.set_ylabel("volatility")
    plot.dress(ax, "t")
    assert _apart(ax, ax.get_xticklabels())
    assert ax.yaxis.label.get_window_extent().x0 >= 0.0  # drawn once, not twice


@pytest.mark.parametrize("rows", [3, 40, 200])
@pytest.mark.parametrize("named", [True, False], ids=["names as places", "ticks with names"])
def test_names_of_more_rows_than_fit_are_thinned(rows, named):
    ax = Figure(figsize=(4, 3), layout="constrained").subplots()
    names = [f"scenario {i}" for i in range(rows)]
    ax.barh(names if named else np.arange(rows), np.arange(rows))
    if not named:
        ax.set_yticks(range(rows), names)
    plot.dress(ax, "t")
    assert _apart(ax, ax.get_yticklabels())
    assert sum(tick.get_visible() for tick in ax.get_yticklabels()) >= min(rows, 8)


@pytest.mark.parametrize(("low", "high"), [(100, 500), (100, 20_000), (100, 10_000_000), (128, 256)])
@pytest.mark.parametrize("width", [3.9, 9.0])
def test_numbers_of_scenarios_are_numbers_that_stand_apart(low, high, width):
    ax = Figure(figsize=(width, 3), layout="constrained").subplots()
    ax.plot([low, high], [0, 1])
    plot.numbers_of_scenarios(ax)
    plot.dress(ax, "t")
    assert _apart(ax, ax.get_xticklabels())
    shown = [tick.get_text() for tick in ax.get_xticklabels()]
    assert any(text.replace(",", "").isdigit() for text in shown) and not any("10^" in text for text in shown)
    assert {text for text in (tick.get_text() for tick in ax.get_xticklabels(minor=True)) if text} == set()


@pytest.mark.parametrize(
    ("value", "text"), [(9e9, "9,000,000,000"), (2.5e12, "2,500 bn"), (-1e10, "\N{MINUS SIGN}10 bn")]
)
def test_no_amount_of_an_axis_has_an_exponent(ax, value, text):
    plot.thousands(ax.yaxis)
    assert ax.yaxis.get_major_formatter()(value, 0) == text


@pytest.mark.parametrize("width", [3.9, 9.0, 14.4])
@pytest.mark.parametrize(
    "sample", [np.linspace(0.001, 0.1, 500), np.linspace(-1e9, 1e9, 500), -(np.linspace(0.0, 1.0, 500) ** 4)]
)
def test_the_name_of_a_loss_stays_on_its_axes(sample, width):
    ax = Figure(figsize=(width, 3), layout="constrained").subplots()
    plot.loss_histogram(sample, {"VaR 99%": -float(np.quantile(sample, 0.01))}, title="t", ax=ax)
    FigureCanvasAgg(ax.figure).draw()
    assert ax.texts[0].get_window_extent().x0 >= ax.get_window_extent().x0 - 3


def test_words_of_an_argument_are_written_as_in_print():
    from riskkit._show import worded

    for name in ("ledoit_wolf", "harrell_davis", "cornish_fisher", "student_t", "inverted_cdf", "a_b"):
        assert "_" not in worded(name)


@pytest.mark.parametrize("words", [1, 6, 10])
@pytest.mark.parametrize("width", [3.2, 3.9, 4.8])
def test_a_title_of_many_lines_leaves_a_narrow_picture_its_axes(words, width):
    ax = Figure(figsize=(width, 3.4), layout="constrained").subplots()
    ax.plot([0.0, 1e9], [0.0, 1e9], label="0 hits, 0.5 expected")
    plot.thousands(ax.yaxis)
    plot.dress(ax, "exceedances " * words)
    plot.legend_below(ax)
    FigureCanvasAgg(ax.figure).draw()
    box = ax._left_title.get_window_extent()
    assert box.x1 <= ax.figure.bbox.x1 and box.y1 <= ax.figure.bbox.y1 and ax.bbox.height > 40
    assert ax.get_legend().get_window_extent().y0 >= 0.0
