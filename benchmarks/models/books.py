"""Options, futures, perpetuals and books of QuantLib instruments beside QuantLib, scipy and pandas; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks._bench import Row, beside
from riskkit.instruments import (
    CurrencyBook,
    PricedBook,
    american_option,
    bachelier,
    black76,
    continuous_futures,
    european_option,
    funding_payments,
    option_ladder,
)

SPOTS = tuple(np.linspace(-0.2, 0.2, 21))
VOLATILITIES = tuple(np.linspace(-0.05, 0.05, 11))


def rows() -> Iterator[Row]:
    """Prices, then series of prices."""
    import QuantLib as ql

    yield _american(ql)
    yield _book(ql)
    yield _ladder()
    yield _currencies()
    rng = np.random.default_rng(0)
    forwards = 100.0 + rng.standard_normal(100_000)
    spread, d1 = 0.2, np.log(forwards / 90.0) / 0.2 + 0.1
    yield beside(
        "futures options, 100,000 forwards",
        lambda: black76(forwards, 90.0, 1.0, 0.2),
        lambda: forwards * norm.cdf(d1) - 90.0 * norm.cdf(d1 - spread),
        "scipy.stats.norm, d1 given",
        0.5,
    )
    yield beside(
        "Bachelier options, 100,000 forwards",
        lambda: bachelier(forwards, 90.0, 1.0, 20.0),
        lambda: (forwards - 90.0) * norm.cdf((forwards - 90.0) / 20.0) + 20.0 * norm.pdf((forwards - 90.0) / 20.0),
        "scipy.stats.norm",
        0.7,
    )
    yield _rolls(rng)
    rate, mark = 1e-4 * rng.standard_normal(10_000), 3e4 * np.exp(0.001 * np.cumsum(rng.standard_normal(10_000)))
    yield beside(
        "10,000 funding payments",
        lambda: funding_payments(2.0, mark, rate).payments,
        lambda: 2.0 * mark * rate,
        "numpy, one product",
        1.0,
        checks=5e-4,
    )


def _american(ql) -> Row:
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    spot = ql.QuoteHandle(ql.SimpleQuote(100.0))
    rate = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.05, count))
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.2, count))
    exercise = ql.AmericanExercise(today, today + 365)
    put = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, 110.0), exercise)

    def library() -> float:
        put.setPricingEngine(ql.BinomialVanillaEngine(ql.BlackScholesProcess(spot, rate, smile), "lr", 801))
        return float(put.NPV())

    def ours() -> float:
        return american_option(100.0, 110.0, 1.0, 0.2, rate=0.05)

    return beside("American put, 801 steps", ours, library, "QuantLib, the same tree in C++", 0.4, rtol=1e-4)


def _book(ql) -> Row:
    """Full revaluation of 20 calls in 500 scenarios: the same quotes set by hand."""
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    count, spot = ql.Actual365Fixed(), ql.SimpleQuote(100.0)
    rate = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.02, count))
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.2, count))
    engine = ql.AnalyticEuropeanEngine(ql.BlackScholesProcess(ql.QuoteHandle(spot), rate, smile))
    calls = {}
    for strike in range(80, 120, 2):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, float(strike))
        calls[f"call {strike}"] = ql.VanillaOption(payoff, ql.EuropeanExercise(today + 180))
        calls[f"call {strike}"].setPricingEngine(engine)
    moves = 0.05 * np.random.default_rng(0).standard_normal((500, 1))
    book = PricedBook(calls, {"X": spot}, relative=["X"])

    def by_hand() -> np.ndarray:
        base = sum(call.NPV() for call in calls.values())
        found = []
        for move in moves[:, 0].tolist():
            spot.setValue(100.0 * (1.0 + move))
            found.append(sum(call.NPV() for call in calls.values()) - base)
        spot.setValue(100.0)
        return np.array(found)

    return beside("20 QuantLib calls in 500 scenarios", lambda: book(moves), by_hand, "QuantLib, a loop", 0.5)


def _currencies() -> Row:
    """Positions in four currencies, their prices and rates moved in 5,000 scenarios."""
    rng, names = np.random.default_rng(1), ("USD", "GBP", "JPY", "CHF")
    rates = dict(zip(names, (0.9, 1.2, 0.006, 1.05), strict=True))
    held = {name: {f"{name} {i}": float(x) for i, x in enumerate(rng.normal(0.0, 1e6, 25))} for name in names}
    book = CurrencyBook(held, dict(zip(names, names, strict=True)), rates, "EUR")
    moves = rng.normal(0.0, 0.02, (5_000, 104))
    money = np.concatenate([rates[name] * np.array(list(held[name].values())) for name in names])

    def by_numpy() -> np.ndarray:
        return money * ((1.0 + moves[:, :100]) * np.repeat(1.0 + moves[:, 100:], 25, axis=1) - 1.0)

    return beside("100 positions in 4 currencies, 5,000 scenarios", lambda: book.pnl(moves), by_numpy, "numpy", 0.3)


def _ladder() -> Row:
    def by_cell() -> list[list[float]]:
        base = european_option(100.0, 105.0, 0.5, 0.25).price
        return [
            [european_option(100.0 * (1.0 + move), 105.0, 0.5, 0.25 + more).price - base for more in VOLATILITIES]
            for move in SPOTS
        ]

    def ours() -> np.ndarray:
        return np.asarray(
            option_ladder(100.0, 105.0, 0.5, 0.25, spot_shifts=SPOTS, volatility_shifts=VOLATILITIES).revalued
        )

    return beside("ladder of 21 x 11 cells, revalued and by greeks", ours, by_cell, "a call a cell", 10.0, atol=1e-9)


def _rolls(rng: np.random.Generator) -> Row:
    """Twenty contracts of a quarter each, joined by ratios at each roll."""
    spot = 100.0 * np.exp(0.01 * np.cumsum(rng.standard_normal(1_260)))
    prices = spot[:, None] * np.exp(0.001 * np.arange(20) + 0.001 * rng.standard_normal((1_260, 20)))
    places = list(range(63, 1_260 - 60, 63))[:19]

    def by_pandas() -> np.ndarray:
        frame, factor = pd.DataFrame(prices), 1.0
        joined, last = pd.Series(np.nan, frame.index), len(frame)
        for contract, place in reversed(list(enumerate([-1, *places]))):
            joined.iloc[place + 1 : last] = factor * frame.iloc[place + 1 : last, contract]
            if contract:
                factor *= frame.iloc[place, contract] / frame.iloc[place, contract - 1]
            last = place + 1
        return joined.to_numpy()

    return beside(
        "20 futures joined by ratios, 1,260 days",
        lambda: continuous_futures(prices, places),
        by_pandas,
        "pandas, contract by contract",
        1.0,
    )
