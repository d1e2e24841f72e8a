"""Every form of a book in every model that takes scenarios: a linear book has one VaR, however it is written.

The forms are positions × returns, ready P&L, a delta-gamma form, a function that revalues, and a tree of books. What
a model says about returns that are not linear is tested beside that model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import riskkit as rk

N, CONFIDENCE = 200, 0.95
ASSETS = ["AAPL", "KO", "XOM"]
DAYS = pd.date_range("2020-01-01", periods=N, name="day")
RETURNS = pd.DataFrame(0.01 * np.random.default_rng(4).standard_t(5, (N, 3)), DAYS, ASSETS)
BOOKS = pd.DataFrame([[600.0, -100.0, 0.0], [400.0, 0.0, 50.0], [0.0, -200.0, 250.0]], ["tech", "food", "oil"], ASSETS)
TREE = {"firm": {"shares": ["tech", "food"], "fuel": ["oil"]}}
NODES = ["firm", "shares", "tech", "food", "fuel", "oil"]
HELD = BOOKS.sum()
LAW = rk.montecarlo.BlockBootstrap(RETURNS)
EACH_DAY_ONCE = np.column_stack([(np.arange(N) + 0.5) / N, *[np.zeros(N)] * (LAW.needs.columns - 1)])


def revalue(moves: Any) -> np.ndarray:
    return np.asarray(moves) @ HELD.to_numpy()


def revalue_books(moves: Any) -> pd.DataFrame:
    return pd.DataFrame(np.asarray(moves) @ BOOKS.to_numpy().T, moves.index, BOOKS.index)


FLAT = pd.Series(0.0, ASSETS)
ONE_BOOK: dict[str, Any] = {
    "positions": HELD,
    "positions in another order": HELD[::-1],
    "positions without names": HELD.to_numpy(),
    "delta-gamma": rk.pnl.DeltaGamma(HELD, FLAT),
    "delta-gamma, full matrix": rk.pnl.DeltaGamma(HELD, pd.DataFrame(0.0, ASSETS, ASSETS)),
    "revalue": revalue,
    "ready P&L": RETURNS @ HELD,
}
MANY_BOOKS: dict[str, Any] = {
    "positions": BOOKS,
    "positions in another order": BOOKS[ASSETS[::-1]],
    "revalue": revalue_books,
    "ready P&L": RETURNS @ BOOKS.T,
}
LOSSES = -(RETURNS @ HELD)
NODE_LOSSES = -rk.pnl.aggregate(RETURNS @ BOOKS.T, TREE)
"""The same by pandas alone, but for the tree, which is tested in test_pnl.py."""


def scenarios_for(form: str) -> Any:
    return None if form == "ready P&L" else RETURNS


TAIL = 10
"""Days beyond 95 % of 200; VaR is the least of them in loss, ES their mean."""


def expected_var(losses: pd.Series) -> float:
    return float(losses.nlargest(TAIL).min())


def expected_es(losses: pd.Series) -> float:
    return float(losses.nlargest(TAIL).mean())


METHODS: dict[str, Callable[[Any], Any]] = {
    "historical": lambda pnl: rk.var.historical(pnl, CONFIDENCE),
    "normal": lambda pnl: rk.var.normal(pnl, CONFIDENCE),
    "Student t": lambda pnl: rk.var.student_t(pnl, CONFIDENCE, df=5.0),
    "Cornish-Fisher": lambda pnl: rk.var.cornish_fisher(pnl, CONFIDENCE),
    "age weighted": lambda pnl: rk.var.age_weighted(pnl, CONFIDENCE),
    "filtered historical": lambda pnl: rk.var.filtered_historical(pnl, CONFIDENCE),
    "evt": lambda pnl: rk.var.evt(pnl, CONFIDENCE),
}


@pytest.mark.parametrize("form", ONE_BOOK)
@pytest.mark.parametrize("method", METHODS)
def test_var_of_one_book_in_every_form(method, form):
    pnl = rk.pnl.scenario(ONE_BOOK[form], scenarios_for(form))
    assert pnl.index.equals(DAYS)
    answer, plain = METHODS[method](pnl), METHODS[method](-LOSSES)
    assert isinstance(answer.var, float)
    assert answer.var == pytest.approx(plain.var, rel=1e-9)
    assert answer.es == pytest.approx(plain.es, rel=1e-9)


@pytest.mark.parametrize("form", MANY_BOOKS)
@pytest.mark.parametrize("method", METHODS)
def test_var_of_a_tree_in_every_form(method, form):
    nodes = rk.pnl.aggregate(rk.pnl.scenario(MANY_BOOKS[form], scenarios_for(form)), TREE)
    answer = METHODS[method](nodes).var
    assert list(answer.index) == NODES
    for node in NODES:
        assert answer[node] == pytest.approx(METHODS[method](-NODE_LOSSES[node]).var, rel=1e-9)
    assert answer["firm"] == pytest.approx(METHODS[method](-LOSSES).var, rel=1e-9)  # the tree holds the one book


def test_historical_var_and_es_are_those_of_the_sorted_losses():
    answer = rk.var.historical(-LOSSES, CONFIDENCE)
    assert answer.var == pytest.approx(expected_var(LOSSES), rel=1e-12)
    assert answer.es == pytest.approx(expected_es(LOSSES), rel=1e-12)


@pytest.mark.parametrize("form", [form for form in ONE_BOOK if form != "ready P&L"])
def test_monte_carlo_over_each_day_once_is_historical(form):
    risk = rk.simulate_risk(LAW, ONE_BOOK[form], draws=EACH_DAY_ONCE, confidence=CONFIDENCE)
    assert risk.var == pytest.approx(expected_var(LOSSES), rel=1e-9)
    assert risk.es == pytest.approx(expected_es(LOSSES), rel=1e-9)


@pytest.mark.parametrize("form", [form for form in MANY_BOOKS if form != "ready P&L"])
def test_monte_carlo_of_a_tree_over_each_day_once_is_historical(form):
    risk = rk.simulate_risk(LAW, MANY_BOOKS[form], draws=EACH_DAY_ONCE, confidence=CONFIDENCE, hierarchy=TREE)
    assert list(risk.var.index) == list(risk.es.index) == NODES
    np.testing.assert_allclose(risk.var, [expected_var(NODE_LOSSES[node]) for node in NODES], rtol=1e-9)
    np.testing.assert_allclose(risk.es, [expected_es(NODE_LOSSES[node]) for node in NODES], rtol=1e-9)


@pytest.mark.parametrize("form", ONE_BOOK)
def test_stress_of_one_book_in_every_form(form):
    losses = rk.stress_test(ONE_BOOK[form], scenarios_for(form)).losses
    assert losses.index.equals(DAYS)
    np.testing.assert_allclose(losses.iloc[:, 0], LOSSES, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", MANY_BOOKS)
def test_stress_of_a_tree_in_every_form(form):
    losses = rk.stress_test(MANY_BOOKS[form], scenarios_for(form), hierarchy=TREE).losses
    assert losses.index.equals(DAYS)
    assert list(losses.columns) == NODES
    np.testing.assert_allclose(losses, NODE_LOSSES, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", ONE_BOOK)
def test_a_window_of_history_in_every_form(form):
    window = {"autumn": (DAYS[99], DAYS[129])}
    replayed = rk.stress.historical_stress(ONE_BOOK[form], scenarios_for(form), window, buy_and_hold=False)
    (loss,) = replayed.table["loss"]
    assert loss == pytest.approx(LOSSES.iloc[100:130].sum(), rel=1e-9)


ATTRIBUTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "historical ES": lambda book, returns: rk.attribution.historical(book, returns, CONFIDENCE, measure="es"),
    "historical VaR": lambda book, returns: rk.attribution.historical(book, returns, CONFIDENCE),
}


@pytest.mark.parametrize("model", ATTRIBUTIONS)
def test_components_of_positions_are_those_of_their_ready_pnl(model):
    by_positions = ATTRIBUTIONS[model](HELD[::-1], RETURNS)
    by_pnl = ATTRIBUTIONS[model](None, RETURNS * HELD)
    assert sorted(by_positions.component.index) == list(by_pnl.component.index) == ASSETS
    np.testing.assert_allclose(by_positions.component[ASSETS], by_pnl.component, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", MANY_BOOKS)
@pytest.mark.parametrize("model", ATTRIBUTIONS)
def test_components_of_books_add_up_to_the_firm(model, form):
    split = ATTRIBUTIONS[model](None, rk.pnl.scenario(MANY_BOOKS[form], scenarios_for(form)))
    assert list(split.component.index) == list(BOOKS.index)
    assert split.component.sum() == pytest.approx(ATTRIBUTIONS[model](HELD, RETURNS).total, rel=1e-9)


def test_components_of_es_add_up_to_historical_es():
    assert ATTRIBUTIONS["historical ES"](HELD, RETURNS).total == pytest.approx(expected_es(LOSSES), rel=1e-9)


def test_closed_forms_agree_with_the_sample_of_the_same_book():
    normal = rk.var.normal(-LOSSES, CONFIDENCE, mean="zero").var
    covariance = rk.covariance.sample_covariance(RETURNS, mean="zero")
    assert rk.attribution.portfolio(HELD, covariance, CONFIDENCE) == pytest.approx(normal, rel=1e-9)
    assert rk.attribution.component(HELD, covariance, CONFIDENCE).sum() == pytest.approx(normal, rel=1e-9)
    assert rk.attribution.parametric(HELD, RETURNS, CONFIDENCE, mean="zero").total == pytest.approx(normal, rel=1e-9)


@pytest.mark.parametrize("book", [rk.pnl.DeltaGamma(HELD, FLAT), revalue], ids=["delta-gamma", "revalue"])
@pytest.mark.parametrize("model", [rk.pnl.scenario, rk.stress_test, rk.stress.historical_stress])
def test_a_form_that_needs_scenarios_says_so(model, book):
    with pytest.raises(rk.InputError, match="DeltaGamma or a function; give the"):
        model(book)
