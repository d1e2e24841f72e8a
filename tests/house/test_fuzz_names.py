"""A name is text in every output: never mathematics, markup, SQL, a formula, a format, or a move of the cursor."""

from __future__ import annotations

import csv
import html
import json
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from format_samples import SAMPLES, name_of, parts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from report_tags import read

import riskkit as rk
from riskkit import InputError, plot
from riskkit._show import CONTROLS, as_html, as_text, table_html, table_text
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
from riskkit.read.source import Source
from riskkit.report.comparison import report_html
from riskkit.report.page import folded, listing, notes, page, table

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
    "FRTB": lambda name: rk.frtb.fx_delta({name: 5.0, "EUR": 1.0}).plot(),
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
    for text in (as_text(name, rows), table_text(name, ["a", "b"], row)):
        assert len(text.split("\n")) <= 6 and not any(ord(sign) < 32 and sign != "\n" for sign in text)
    report = page(name, name, [(name, table([name], [[name]]) + listing([name]) + notes([name]) + folded(name, ""))])
    for made in (as_html(name, rows), table_html(name, ["a", name], row, [name]), report):
        assert "<script" not in made and "<img" not in made
        assert not CONTROLS.search(made.replace("\n", ""))


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


def replay_of(name: str) -> rk.ReplayComparison:
    """Orders of an account, an instrument, a rule and a title of this name."""
    row = {"account": name, "instrument": name, "side": "B", "price": 100, "strategy": name}
    frame = pd.DataFrame([{"ts": n, "kind": "order", "qty": n + 1, "order_id": f"{name}{n}", **row} for n in range(3)])
    log = rk.EventLog.from_frame(frame, about={"title": name})
    rules = [rk.Rule(name, rk.rules.MaxOrderQty(limit=1)), rk.Rule(f"{name} b", rk.rules.PositionLimit(limit=2))]
    return rk.compare(log, rk.RuleSet(rules), compiled=False)


def plain(page: str) -> None:
    """A page without a tag, an attribute or a picture that a name made."""
    tags = read(page)
    assert all(source.startswith(("#", "data:image/png;base64,")) for source in tags.fetched)
    assert "<script" not in page and "<img src=x" not in page


@pytest.mark.slow
@pytest.mark.parametrize("name", ["$x$ and \\frac{$", "=1+1 <img src=x onerror=alert(1)> %s {x!r}"])
def test_a_name_in_reports_workbooks_and_explanations_is_text(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font without a letter
        found = replay_of(name)
        plain(rk.report.limits(found.enforce, tmp_path / "limits.html").read_text("utf-8"))
        plain(report_html(found))
        returns = pd.Series(np.sin(np.arange(300.0)) / 50, pd.bdate_range("2020-01-01", periods=300), name=name)
        page = rk.report.tear_sheet(returns, tmp_path / "tear.html", title=name, currency=name, remarks=[name])
        plain(page.read_text("utf-8"))
    for one in (found, found.enforce):
        one.to_excel(tmp_path / "book.xlsx")
        with zipfile.ZipFile(tmp_path / "book.xlsx") as book:
            sheets = [book.read(part).decode() for part in book.namelist() if "worksheets/sheet" in part]
            assert sheets and not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    for text in (repr(found.enforce), repr(found), found.enforce.explain(1)):
        assert not CONTROLS.search(str(text).replace("\n", ""))
    for page in (found.enforce._repr_html_(), found._repr_html_(), found.enforce.explain(1)._repr_html_()):
        assert "<script" not in page and "<img" not in page


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_file_that_is_read_is_text(name, tmp_path):
    cells = ["2024-03-05T10:00:00Z", name, "B", "1", "10.5", name, f"{name}1"]
    with (tmp_path / "fills.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["time", "symbol", "side", "qty", "price", "account", "fill id"], cells])
    try:
        found = rk.read.generic_csv(tmp_path / "fills.csv", tz="UTC")
        texts = [repr(found), found._repr_html_(), repr(found.log())]
    except InputError as error:
        texts = [str(error)]
    for text in texts:
        assert "<script" not in text or text == repr(found)
        assert not CONTROLS.search(text.replace("\n", ""))


HOSTILE = ["A\x1b[2J\u202e\nB", "<script>alert(1)</script><img src=x onerror=alert(1)>$\\frac{$ %s {x!r}"]
WRITTEN = {  # how a format writes a name
    ".json": lambda name: json.dumps(name)[1:-1],
    ".xml": lambda name: html.escape(CONTROLS.sub("", name)),
    ".html": html.escape,
}


def renamed(path: Path, labels: Iterable[str], name: str) -> Source:
    """A file that has a hostile name in place of each label, and in its own name."""
    data, written = path.read_bytes(), WRITTEN.get(path.suffix, str)(name).encode()
    binary = b"\x00" in data[:4096] or path.suffix in (".xlsx", ".itch")
    for label in map(str.encode, sorted(labels, key=len, reverse=True)):
        data = data.replace(label, written[: len(label)].ljust(len(label)) if binary else written)
    return Source(f"{name} {path.name}", data)


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_name_in_a_file_of_any_format_is_text(sample):
    expected, paths, arguments = parts_of(sample)
    for name in HOSTILE:
        files = [renamed(path, [*expected["instruments"], *expected["accounts"]], name) for path in paths]
        page = ""
        try:
            found = getattr(rk.read, sample.parent.name)(files, **arguments)
            text, page = repr(found), found._repr_html_()
            text += repr(found.log())
        except InputError as error:
            text = str(error)
        assert not CONTROLS.search(text.replace("\n", "")), text
        assert "<script" not in page and "<img" not in page
