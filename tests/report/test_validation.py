"""The validation report: the verdict of the backtest first, each challenger and setting, and what the data show."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from refusing import refusal
from report_tags import EVIL, read

import riskkit as rk
from riskkit.report import validation

rng = np.random.default_rng(5)
CALM = pd.Series(rng.normal(0.0, 0.01, 240), pd.bdate_range("2020-01-01", periods=240))
TURN = CALM * np.where(np.arange(240) < 140, 1.0, 4.0)


def words(path) -> str:
    return " ".join(read(path.read_text("utf-8")).words)


@pytest.mark.slow
def test_a_model_that_fails_is_said_to_fail_and_why(tmp_path):
    options = {
        "confidence": 0.95,
        "window": 100,
        "facts": {"model": EVIL, "owner": "Market risk"},
        "weaknesses": [EVIL],
    }
    page = validation(TURN, tmp_path / "x.html", **options)
    text = page.read_text("utf-8")
    assert "<script" not in text and "http:" not in text
    found = rk.backtest_var(rk.rolling_var(TURN, 100, 0.95))
    said = words(page)
    assert f'class="verdict bad">{found.verdict}' in text
    assert f"{found.n_hits} hits in 140 periods; 7 were expected." in said
    assert "Not stated: validated by, purpose, approved use, version." in said
    assert "filtered historical" in said and "window 50, 95%" in said and "window 200, 95%" in said
    for name in found.to_frame().index:
        assert name in said
    assert "came right after another" in said


def test_given_forecasts_are_judged_and_have_no_settings(tmp_path):
    var = pd.Series(20_000.0, CALM.index)
    options = {"var": var, "confidence": 0.975, "window": 220}
    pages = [validation(1e6 * CALM, tmp_path / f"{name}.html", **options) for name in "ab"]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    said = words(pages[0])
    assert "Forecasts as given" in said and "ES was not given" in said and "Sensitivity" not in said
    assert "under review" in said and "historical" in said


def test_money_has_its_unit_in_headings_and_equal_decimals(tmp_path):
    page = validation(1e6 * CALM, tmp_path / "x.html", confidence=0.95, window=100, currency="EUR")
    text = page.read_text("utf-8")
    assert "P&amp;L in EUR" in text and "<th>mean VaR (EUR)</th>" in text and "<th>worst (EUR)</th>" in text
    small = validation(1e-6 * CALM, tmp_path / "y.html", confidence=0.95, window=100, currency="EUR")
    assert "%" not in "".join(re.findall(r"<td>mean</td><td>[^<]*</td>", small.read_text("utf-8")))
    for table in re.findall(r"mean VaR \(EUR\).*?</table>", text, re.S):
        cells = [row.split("</td>")[4] for row in table.split("<tr>")[1:]]
        assert len({len(cell.rpartition(".")[2]) if "." in cell else 0 for cell in cells}) == 1


def test_es_without_var_is_refused_and_nothing_is_written(tmp_path):
    said = refusal(validation, CALM, tmp_path / "x.html", es=CALM * 0.0 + 0.1)
    assert said == "es is given without var; give both, or none and a method"
    assert not list(tmp_path.iterdir())
