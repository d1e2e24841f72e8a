"""Results as text and HTML: percentages, money, one thing in the singular, long sentences in lines, verdicts in colour."""

import re

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._show import GRADES, NARROWEST, WIDTH, as_html, as_text

PERIODS = pd.bdate_range("2020-01-01", periods=300)
RETURNS = pd.Series(0.01 * np.random.default_rng(5).standard_t(4, 300), PERIODS)
SENTENCE = "a sentence that goes on and on " * 8


def test_what_stands_beside_a_value_is_wrapped_below_itself():
    lines = as_text("title", [("label", 12, SENTENCE), ("next", "x" * 90, "and " * 30)]).splitlines()
    assert max(map(len, lines)) <= 90 + len("label") + 3 + NARROWEST and len(lines[1]) == max(map(len, lines[2:]))
    narrow = as_text("title", [("label", 12, SENTENCE)]).splitlines()
    assert max(map(len, narrow)) <= WIDTH and {line[:9].strip() for line in narrow[3:]} == {""}
    assert " ".join(" ".join(line.split()) for line in narrow[2:]) == f"label 12 {SENTENCE.strip()}"


def test_a_sentence_in_the_place_of_a_value_does_not_widen_the_column_of_numbers():
    rows = [("orders", 12, "count"), ("note", SENTENCE, ""), ("digest", "127736a3c8325199", "...")]
    lines = as_text("title", rows).splitlines()
    assert lines[2] == f"orders  {12:>16} count" and max(map(len, lines)) <= WIDTH
    assert " ".join(" ".join(line.split()) for line in lines[3:-1]) == f"note {SENTENCE.strip()}"
    assert f"<td colspan='2' style='text-align:left'>{SENTENCE}</td>" in as_html("title", rows)


def test_sentences_in_a_page_are_aligned_left_and_labels_keep_their_indent():
    page = as_html("title", [("  of these", 12, "a < b")], {"  of these": "bad"})
    assert "<td style='text-align:left'>a &lt; b</td>" in page and "white-space:pre'>  of these</th>" in page
    assert all(colour in page for colour in GRADES["bad"])


@pytest.mark.parametrize(("value", "shown"), [(1, "1 period"), (1.0, "1 period"), (2, "2 periods"), (0, "0 periods")])
def test_one_thing_is_in_the_singular(value, shown):
    assert as_text("t", [("n", value, "periods")]).endswith(shown)
    assert as_text("t", [("n", value, "periods from the trough")]).endswith(f"{shown} from the trough")
    assert as_text("t", [("n", value, "as")]).endswith(" as")


def test_returns_are_percentages_and_money_has_separators():
    as_returns, as_money = repr(rk.value_at_risk(RETURNS, [0.95, 0.99])), repr(rk.value_at_risk(1e6 * RETURNS, 0.99))
    assert len(re.findall(r"^(?:VaR|ES) 9\d% +\d\.\d\d%$", as_returns, re.M)) == 4
    assert re.search(r"^VaR 99% +\d\d,\d{3}", as_money, re.M) and "%" not in as_money.replace("99%", "")
    small = repr(rk.value_at_risk(1e-3 * RETURNS, 0.99))  # a basis point is not 0.00 %
    assert re.search(r"^VaR 99% +0\.00\d\d+%", small, re.M)
    summary = repr(rk.performance_summary(RETURNS, 252))
    for name in ("annualised return", "annualised volatility", "maximum drawdown", "CDaR at 99%", "win rate"):
        assert re.search(rf"^{name} +-?\d+\.\d\d%", summary, re.M), name
    assert "next VaR" in (text := repr(rk.rolling_var(RETURNS, 100, 0.95))) and re.search(r"next ES +\d\.\d\d%", text)
    assert re.search(r"^1\. 20\d\d-\d\d-\d\d +\d+\.\d\d% low", repr(rk.performance.drawdown_table(RETURNS)), re.M)


@pytest.mark.parametrize(("var", "grade"), [(0.017, "good"), (0.03, "bad"), (0.002, "bad")])
def test_the_verdict_of_a_backtest_is_first_and_coloured(var, grade):
    result = rk.backtest_var(pd.Series(0.01 * np.random.default_rng(2).standard_normal(250)), var, confidence=0.95)
    assert repr(result).splitlines()[2].startswith("verdict ") and result.grade == grade
    assert result._repr_html_().count(GRADES[grade][1]) == 1


def test_no_amount_in_a_verdict_is_a_power_of_ten():
    pnl = 3e6 * np.random.default_rng(3).standard_normal(500)
    result = rk.backtest_var(pnl, 2.0e6, 2.5e6, confidence=0.95)
    assert not [text for text in result.to_frame()["verdict"] if re.search(r"\de\+\d", text)]
    assert "1,000,000" in repr(rk.stress.reverse_stress({"A": 1e7}, 1e6, pd.DataFrame({"A": {"A": 1e-4}})))
