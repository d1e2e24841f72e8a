"""The risk tear sheet: self-contained, the numbers of the models, the verdict first, and nothing written when refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_tags import EVIL, read

import riskkit as rk
from riskkit._show import percent
from riskkit.performance import monthly_table
from riskkit.report import tear_sheet
from riskkit.report.tear_sheet import METHODS

DAYS = pd.bdate_range("2019-06-03", periods=420)
TABLE = pd.DataFrame(np.random.default_rng(5).standard_t(5, (420, 3)) * 0.01, DAYS, ["AAPL", EVIL, "GLD"])
HELD = pd.Series([600_000.0, 300_000.0, -100_000.0], TABLE.columns)
ADV = pd.Series(1_000_000.0, TABLE.columns)
GIVEN = {"positions": HELD, "adv": ADV, "currency": "USD", "window": 250, "confidence": 0.95}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return tear_sheet(TABLE, tmp_path_factory.mktemp("sheet") / "deep" / "sheet.html", **GIVEN).read_text("utf-8")


def test_the_page_is_self_contained_and_what_came_from_outside_is_escaped(page):
    tags = read(page)
    assert len(tags.fetched) == 8 and all(source.startswith("data:image/png;base64,") for source in tags.fetched)
    assert "<script" not in page and "http:" not in page and "default-src 'none'" in page and "@media print" in page
    assert sum(EVIL in words for words in tags.words) >= 2


def test_equal_arguments_give_equal_bytes(page, tmp_path):
    assert tear_sheet(TABLE, tmp_path / "again.html", **GIVEN).read_text("utf-8") == page


def test_its_numbers_are_those_of_the_models(page):
    book, words = TABLE @ HELD / HELD.sum(), read(page).words
    for method in METHODS:
        risk = rk.value_at_risk(book, 0.95, method)
        for value in (risk.var, risk.es):
            assert f"{100 * value:.2f}%" in words and f"{value * HELD.sum():,.0f}" in words, method
    summary = rk.performance_summary(book, 252)
    for name, value in (("VaR 95%", summary.var_95), ("ES 99%", summary.es_99)):
        place = words.index(name)
        assert words[place + 1 : place + 3] == [f"{100 * value:.2f}%", "historical, of one period"]
    split = rk.attribution.historical(HELD, TABLE, 0.95, measure="es")
    assert {f"{value:,.0f}" for value in split.component} <= set(words)
    assert "3.00" in words, "600,000 at 20 % of 1,000,000 takes three days"
    assert f"{100 * monthly_table(book).loc[2019, 'year']:+.1f}%" in words


def test_the_verdict_is_the_first_thing_said_and_is_coloured(page):
    book = TABLE @ HELD / HELD.sum()
    verdict = rk.backtest_var(rk.rolling_var(book, 250, 0.95)).verdict
    kind = {"FAIL": "bad", "Doub": "doubtful"}.get(verdict[:4], "good")
    assert f'<h2>Did the VaR hold?</h2>\n<p class="verdict {kind}">{verdict}</p>' in page


def test_returns_alone_make_a_sheet_without_money(tmp_path):
    page = tear_sheet(TABLE.iloc[:300, 0].to_numpy(), tmp_path / "x.html", confidence=0.95).read_text("utf-8")
    assert percent(0.95) in page
    assert not any(f"<h2>{name}" in page for name in ("Contributions", "Crises", "Returns by month", "Liquidity"))


@pytest.mark.parametrize(
    "given",
    [
        {"positions": HELD.rename({"AAPL": "MSFT"})},
        {"positions": -HELD},
        {"positions": HELD, "window": 500},
        {"positions": HELD, "confidence": 95},
        {"positions": HELD, "adv": ADV.iloc[:2]},
        {"adv": ADV},
    ],
)
def test_what_is_refused_writes_nothing(given, tmp_path):
    with pytest.raises(rk.InputError):
        tear_sheet(TABLE, tmp_path / "x.html", **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("currency", [None, 5, ["EUR"]])
def test_a_currency_is_a_text(currency, tmp_path):
    for report in (rk.report.tear_sheet, rk.report.validation):
        with pytest.raises(rk.InputError, match="currency is"):
            report(np.random.default_rng(1).normal(0.0, 0.01, 300), tmp_path / "x.html", currency=currency)
    assert not list(tmp_path.iterdir())


def test_each_picture_has_one_for_a_phone_and_wide_tables_have_small_print(page):
    text = page
    assert (
        text.count("<figure>") == text.count('<source media="screen and (max-width:40rem)" srcset="data:image/png') >= 3
    )
    months = text[text.index("Returns by month") :]
    assert months.index('<table class="dense">') < months.index("<h2>")


def test_several_columns_without_positions_are_one_sentence(tmp_path):
    """As P&L in two currencies is."""
    with pytest.raises(
        rk.InputError, match=r"returns has 2 columns \(EUR, USD\); give positions=.* converted and added"
    ):
        tear_sheet(TABLE.iloc[:, :2].set_axis(["EUR", "USD"], axis=1), tmp_path / "x.html")
    with pytest.raises(
        rk.InputError, match=r"returns is .*; give returns by period, as riskkit.simple_returns\(prices\)"
    ):
        tear_sheet(object(), tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()
