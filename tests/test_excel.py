"""Workbooks: numbers are numbers with formats, texts are never formulas, and equal results give equal bytes."""

from __future__ import annotations

import re
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit import _excel
from riskkit._excel import Exported, Sheet
from riskkit.attribution import Attribution
from riskkit.read.source import Source
from riskkit.read.workbook import Moment, sheets

pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed; it comes with riskkit[excel]")

SIZE = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])


def cells(path: Path) -> dict[str, list[list[object]]]:
    """The cells of each sheet, as a reader of workbooks has them."""
    found = sheets(Source(path.name, path.read_bytes()))
    return {name: [list(row.values()) for _, row in rows] for name, rows in found.items()}


def exported():
    assets = ["=SUM(A1)", "bonds"]
    returns = [-0.03 if day in (50, 51, 120) else 0.001 for day in range(250)]
    split = Attribution("var", "given", 0.95, 30.0, pd.Series([36.0, -6.0], assets), pd.Series([100.0, -50.0], assets))
    moves = pd.DataFrame({"shares": [-0.2, 0.1], "bonds": [0.03, -0.04]}, index=["crash", "rates up"])
    log = rk.replay.tiny_log([1, 9, 2])
    return {
        "contributions": split,
        "stress": rk.stress_test(pd.Series({"shares": 1000.0, "bonds": 2000.0}), moves),
        "tests": rk.backtest_var(returns, 0.02, confidence=0.99),
        "estimate": rk.value_at_risk(returns, [0.95, 0.99]),
        "comparison": rk.compare(log, SIZE, compiled=False),
        "refusals": rk.replay_log(log, SIZE, compiled=False),
        "loss limits": rk.sweeps.calibrate_loss_limit(
            1000 * np.array(returns), [10, 20], rng=np.random.default_rng(1), resamples=50
        ),
    }


@pytest.fixture(scope="module")
def results():
    return exported()


def test_every_kind_of_result_that_is_exported_is_tried(results):
    own = {kind for kind in Exported.__subclasses__() if "_sheets" in vars(kind)}
    assert own == {type(result) for result in results.values()}


DAYS = pd.bdate_range("2020-01-01", periods=400)
MOVES = pd.DataFrame(0.01 * np.random.default_rng(4).standard_t(5, (400, 2)), DAYS, ["A", "B"])
HELD = pd.Series([2e6, -1e6], ["A", "B"])
OF_ONE_TABLE = {
    "crises": lambda: rk.stress.historical_stress(HELD, MOVES, {"spring": ("2020-03-02", "2020-05-29")}),
    "reverse stress": lambda: rk.stress.reverse_stress(HELD, 1e5, MOVES.cov()),
    "performance": lambda: rk.performance_summary(MOVES["A"], 252),
    "drawdowns": lambda: rk.performance.drawdown_table(MOVES["A"]),
    "benchmark": lambda: rk.performance.compare_to_benchmark(MOVES["A"], MOVES["B"], 252),
    "rolling": lambda: rk.rolling_var(MOVES["A"], 250, 0.95),
    "forecasts": lambda: rk.var_backtest.compare_models(
        returns=MOVES["A"], models=["historical", "normal"], window=250
    ),
    "simulated": lambda: rk.simulate_risk(
        rk.montecarlo.NormalReturns(MOVES.cov()), HELD, 500, draws=np.random.default_rng(1)
    ),
    "liquidity": lambda: rk.liquidity.liquidity_var(HELD, MOVES.cov()),
    "sweep": lambda: rk.sweep(rk.replay.tiny_log([1, 9, 2]), SIZE, {"size.limit": [1, 5]}, compiled=False),
    "factors": lambda: rk.stress.factor_loadings(MOVES["A"], MOVES[["B"]]),
    "shrunk": lambda: rk.covariance.shrunk_covariance(MOVES),
}


@pytest.mark.parametrize("name", OF_ONE_TABLE)
def test_any_result_with_a_table_is_a_workbook(name, tmp_path):
    result = OF_ONE_TABLE[name]()
    found = cells(result.to_excel(tmp_path / "x.xlsx"))
    assert list(found) == ["table", "assumptions"] and found["assumptions"][0][0] == result._title()
    assert len(found["table"]) == 1 + len(result.to_frame())


def test_losses_of_returns_are_percentages_and_those_of_a_book_money(tmp_path):
    for scale, form in ((1.0, "0.00%"), (1e6, "#,##0.00")):
        file = rk.value_at_risk(scale * MOVES["A"], 0.99).to_excel(tmp_path / f"{scale:g}.xlsx")
        with zipfile.ZipFile(file) as archive:
            styles, page = (archive.read(f"xl/{name}.xml").decode() for name in ("styles", "worksheets/sheet1"))
        formats = dict(re.findall(r'numFmtId="(\d+)" formatCode="(.*?)"', styles)) | {"10": "0.00%", "4": "#,##0.00"}
        looks = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
        assert [formats[looks[int(look)]] for look in re.findall(r'<c r="[BC]2" s="(\d+)"', page)] == [form, form]


def test_equal_results_give_equal_bytes_with_a_frozen_header_and_assumptions(results, tmp_path):
    for name, result in results.items():
        first, second = (result.to_excel(tmp_path / f"{name}{k}.xlsx") for k in range(2))
        assert first.read_bytes() == second.read_bytes()
        with zipfile.ZipFile(first) as archive:
            pages = [archive.read(page).decode() for page in archive.namelist() if "worksheets/sheet" in page]
        assert all('state="frozen"' in page and "<cols>" in page and "<f>" not in page for page in pages)
        found = cells(first)
        assert list(found)[-1] == "assumptions"
        assert found["assumptions"][0][0] == result._title()


def test_numbers_are_numbers_and_texts_are_texts(results, tmp_path):
    found = cells(results["contributions"].to_excel(tmp_path / "x.xlsx"))["contributions"]
    assert found[0] == ["asset", "position", "component", "share"]
    assert found[1] == ["=SUM(A1)", Decimal(100), Decimal(36), Decimal("1.2")]


def test_refusals_have_times_of_the_named_zone_and_whole_sentences(results, tmp_path):
    head, row = cells(results["refusals"].to_excel(tmp_path / "x.xlsx"))["refusals"]
    assert head[1] == "time (UTC)"
    assert isinstance(row[1], Moment)
    assert row[-1] == results["refusals"].refused()["sentence"].iloc[0]


def test_what_has_no_number_is_left_empty(tmp_path):
    class One(Exported):
        def _sheets(self):
            frame = pd.DataFrame({"a": [1.5, np.nan, np.inf], "b": [None, True, "x"]})
            return [Sheet("one", frame)]

    found = cells(One().to_excel(tmp_path / "x.xlsx"))["one"]
    assert found == [["row", "a", "b"], [0, Decimal("1.5"), None], [1, None, "yes"], [2, "inf", "x"]]


def test_a_table_that_no_sheet_can_hold_is_refused_before_anything_is_written(results, tmp_path, monkeypatch):
    monkeypatch.setattr(_excel, "MAX_ROWS", 1)
    with pytest.raises(rk.InputError, match="the sheet 'contributions' would have 2 rows and Excel holds 1; write"):
        results["contributions"].to_excel(tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())


def test_without_the_library_a_sentence_says_what_to_install(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(
        ImportError, match=r"xlsxwriter is not installed; it comes with: pip install 'riskkit\[excel\]'"
    ):
        results["stress"].to_excel(tmp_path / "x.xlsx")
