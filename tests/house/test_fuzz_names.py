"""A name is text in every output: never mathematics, markup, SQL, a formula, a format, or a move of the cursor."""

from __future__ import annotations

import warnings

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskkit import plot
from riskkit._show import as_html, as_text, table_html, table_text
from riskkit.desk import (
    Alert,
    DuckDBStore,
    MarketStream,
    ParquetStore,
    PositionTracker,
    RiskManager,
    TableChannel,
    Tick,
)

NAMES = [
    "$x$ and $y^$", "$\\frac{$", "US$/CA$", "$", "\\$", "a_b^c", "\\alpha", "%s %d %(x)s", "{0} {x!r}", "{", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "&amp;", "'; DROP TABLE journal; --", '"', "=1+1", "@SUM(A1)", "\u202eAPPA", "A\x1b[2JB",
    "A\nB", "\x00", "é🙂", "_nolegend", " ",
]  # fmt: skip
MATHEMATICS = ["$x$ and $y^$", "$\\frac{$ US$"]
ANY = st.sampled_from(NAMES).filter(str.strip) | st.text(min_size=1, max_size=12).filter(str.strip)
TIME = plot.TimeAxis(1.0, [0.0, 1.0], ["a", "b"], "time")
LINE = np.array([1.0, 2.0])
DRAWINGS = {
    "curves": lambda name: plot.curves(LINE, {name: LINE}, label=name, title=name, time=TIME),
    "falls": lambda name: plot.falls(LINE, {name: LINE}, label=name, title=name, time=TIME),
    "lanes": lambda name: plot.lanes({name: LINE}, notes={name: name}, title=name, time=TIME),
    "bars": lambda name: plot.bars({name: LINE}, [name, "B"], label=name, title=name),
    "exceedances": lambda name: plot.exceedances({name: LINE}, label=name, title=name),
    "heat": lambda name: plot.heat(np.eye(2), [name, "b"], ["a", name], names=(name, name), title=name),
    "correlations": lambda name: plot.correlations(np.eye(2), [name, "B"], title=name),
    "exposure": lambda name: tracker(name).exposure("ann").plot(),
    "metrics": lambda name: manager(name).get_dashboard_metrics().plot(),
    "stream": lambda name: stream(name).plot(),
}


def tracker(name: str) -> PositionTracker:
    made = PositionTracker({name: 1})
    made.set_price(name, 1, 1)
    made.update("ann", "m", name, 5, 1, timestamp=1)
    return made


def manager(name: str) -> RiskManager:
    made = RiskManager(1_000, bars_per_day=1)
    made.add_ticker(name, price=1.0, volatility=0.1)
    made.execute_trade(name, 5, "buy")
    return made


def stream(name: str) -> MarketStream:
    made = MarketStream([Tick(n * 60_000_000_000, name, 1.0 + n) for n in range(3)])
    made.run()
    return made


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_a_name_is_drawn_as_it_is(drawing):
    for name in MATHEMATICS:
        with warnings.catch_warnings(), matplotlib.rc_context():
            warnings.simplefilter("ignore")  # a font without a letter
            ax = DRAWINGS[drawing](name)
            ax.figure.canvas.draw()  # mathematics would fail here
            texts = [text.get_text() for text in ax.findobj(matplotlib.text.Text)]
            assert not any(matplotlib.cbook.is_math_text(text) is True for text in texts if "mathdefault" not in text)


@settings(max_examples=2_000)
@given(ANY)
def test_a_name_in_a_table_is_text(name):
    rows, row = [(name, name, name)], [[name, name]]
    for text in (as_text("title", rows), table_text("title", ["a", "b"], row)):
        assert len(text.split("\n")) <= 6 and not any(ord(sign) < 32 and sign != "\n" for sign in text)
    for page in (as_html(name, rows), table_html(name, ["a", name], row, [name])):
        assert "<script" not in page and "<img" not in page


@settings(max_examples=300)
@given(ANY)
def test_a_name_in_an_alert_is_text(name):
    alert = Alert(name, name, name, "WARN", name, 0)
    channel = TableChannel()
    channel(alert)
    for text in (str(alert), *repr(channel).split("\n")):
        assert not any(ord(sign) < 32 for sign in text)
    assert "<script" not in channel._repr_html_()


@pytest.mark.parametrize("kind", ["DuckDB", "Parquet"])
def test_a_name_in_a_store_is_text(kind, tmp_path):
    book = PositionTracker({"A": 1})
    store = DuckDBStore(tmp_path / "store") if kind == "DuckDB" else ParquetStore(tmp_path / "store")
    with store:
        store.follow(book)
        names = [name for name in NAMES if name.strip()]
        for n, name in enumerate(names):
            book.update(name, name, "A", 5, 1, timestamp=1, trade_id=f"{name}{n}")
        assert sorted(store.current_positions()["user"]) == sorted(names)
        assert store.rebuild().digest == book.digest
