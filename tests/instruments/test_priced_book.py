"""Instruments of QuantLib in scenarios, beside closed forms of our own and published prices."""

import numpy as np
import pandas as pd
import pytest

from riskkit._check import InputError
from riskkit.instruments import PricedBook, bond, european_option, option_book
from riskkit.stress import reverse_stress

ql = pytest.importorskip("QuantLib", reason="QuantLib is not installed; it comes with the extra 'pricing'")
TODAY = ql.Date(2, 1, 2024)
YEAR = ql.Actual365Fixed()


def process(spot, rate, volatility, dividend=0.0):
    ql.Settings.instance().evaluationDate = TODAY
    curves = [
        ql.YieldTermStructureHandle(ql.FlatForward(TODAY, ql.QuoteHandle(ql.SimpleQuote(r)), YEAR))
        for r in (dividend, rate)
    ]
    smile = ql.BlackConstantVol(TODAY, ql.NullCalendar(), ql.QuoteHandle(volatility), YEAR)
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(spot), *curves, ql.BlackVolTermStructureHandle(smile))


def option(kind, strike, days, engine, exercise=ql.EuropeanExercise):
    dates = (TODAY, TODAY + days) if exercise is ql.AmericanExercise else (TODAY + days,)
    made = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), exercise(*dates))
    made.setPricingEngine(engine)
    return made


def strangle():
    spot, volatility = ql.SimpleQuote(100.0), ql.SimpleQuote(0.2)
    engine = ql.AnalyticEuropeanEngine(process(spot, 0.03, volatility, 0.01))
    made = {"call": option(ql.Option.Call, 105.0, 365, engine), "put": option(ql.Option.Put, 95.0, 182, engine)}
    return PricedBook(made, {"X": spot, "vol": volatility}, {"call": -10.0, "put": 5.0}, relative=["X"])


def test_european_options_in_scenarios_as_by_our_own_book():
    moves = np.random.default_rng(0).normal(0.0, [0.1, 0.02], (40, 2))
    rows = [["X", 105.0, 1.0, 0.2, -10.0, "call"], ["X", 95.0, 182 / 365, 0.2, 5.0, "put"]]
    table = pd.DataFrame(rows, columns=option_book.NEEDED).assign(rate=0.03, dividend_yield=0.01)
    ours = option_book.OptionBook(table, {"X": 100.0}, {"X": "vol"})
    theirs = strangle()
    np.testing.assert_allclose(theirs.pnl(moves), ours.pnl(moves), atol=1e-9)
    np.testing.assert_allclose(theirs(moves), ours(moves), atol=1e-9)
    assert [quote.value() for quote in theirs.quotes.values()] == [100.0, 0.2], "the quotes are as before"
    named = pd.DataFrame({"vol": [0.05]}, index=["shock"])
    assert theirs.pnl(named).loc["shock", "call"] == pytest.approx(ours.pnl([[0.0, 0.05]])[0, 0])


@pytest.mark.parametrize(
    ("spot", "volatility", "days", "printed"),
    [(36.0, 0.2, 365, 4.478), (40.0, 0.4, 730, 6.920), (44.0, 0.4, 730, 5.647)],
)
def test_american_puts_of_longstaff_and_schwartz(spot, volatility, days, printed):
    """Table 1 of Longstaff and Schwartz (2001), finite differences, strike 40, rate 6 %; 50 exercises a year there."""
    quote = ql.SimpleQuote(spot)
    engine = ql.FdBlackScholesVanillaEngine(process(quote, 0.06, ql.SimpleQuote(volatility)), 400, 400)
    book = PricedBook(
        {"put": option(ql.Option.Put, 40.0, days, engine, ql.AmericanExercise)}, {"X": quote}, relative=["X"]
    )
    value = float(repr(book).split("value")[1].split()[0])
    assert value == pytest.approx(printed, abs=0.012)
    deep = book.pnl([[-0.9]])[0, 0] + value
    assert deep == pytest.approx(40.0 - 0.1 * spot, abs=0.02), "exercised at once"


def test_a_bond_and_its_yield():
    quote = ql.SimpleQuote(0.04)
    rate = ql.FlatForward(
        TODAY, ql.QuoteHandle(quote), ql.Thirty360(ql.Thirty360.BondBasis), ql.Compounded, ql.Semiannual
    )
    ql.Settings.instance().evaluationDate = TODAY
    dates = ql.Schedule(
        TODAY,
        TODAY + ql.Period(5, ql.Years),
        ql.Period(6, ql.Months),
        ql.NullCalendar(),
        *[ql.Unadjusted] * 2,
        0,
        False,
    )
    made = ql.FixedRateBond(0, 100.0, dates, [0.05], ql.Thirty360(ql.Thirty360.BondBasis))
    made.setPricingEngine(ql.DiscountingBondEngine(ql.YieldTermStructureHandle(rate)))
    moves = [[0.01], [-0.02], [0.0]]
    prices = [bond(100.0, 0.05, 5.0, 0.04 + move[0], frequency=2).price for move in moves]
    np.testing.assert_allclose(
        PricedBook({"bond": made}, {"yield": quote})(moves), np.subtract(prices, prices[2]), atol=1e-6
    )


def test_reverse_stress_finds_the_scenario_of_a_loss():
    book = strangle()
    found = reverse_stress(book, 60.0, np.diag([0.1**2, 0.03**2]), n_directions=16, max_distance=5.0)
    assert -float(book([found.scenario])[0]) == pytest.approx(60.0, rel=1e-3)


def test_one_option_of_ours():
    book = strangle()
    price = european_option(100.0, 105.0, 1.0, 0.2, rate=0.03, dividend_yield=0.01).price
    assert book.instruments["call"].NPV() == pytest.approx(price, abs=1e-10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: PricedBook({"x": 1}, {"q": ql.SimpleQuote(1.0)}), "instruments has no QuantLib Instrument at 'x'"),
        (lambda: PricedBook(strangle().instruments, {}), "quotes has no QuantLib SimpleQuote"),
        (lambda: strangle().pnl([[0.1]]), "scenarios has 1 columns for 2 factors; give ['X', 'vol']"),
        (
            lambda: strangle().pnl(pd.DataFrame({"Y": [0.1]})),
            "scenarios moves 'Y', which is not one of the factors ['X', 'vol']",
        ),
    ],
)
def test_refusals(call, says):
    with pytest.raises(InputError) as error:
        call()
    assert str(error.value) == says


def test_what_quantlib_refuses_is_said_with_the_row_and_leaves_the_quotes():
    book = strangle()
    with pytest.raises(InputError, match="QuantLib cannot value 'call' in row 1 of scenarios: "):
        book.pnl([[0.0, 0.0], [-1.5, 0.0]])
    assert book.quotes["X"].value() == 100.0


def test_mappings_may_be_series():
    book = strangle()
    parts = (pd.Series(part) for part in (book.instruments, book.quotes, book.quantities))
    series = PricedBook(*parts, relative=["X"])
    assert series.factors == ("X", "vol") and series([[-0.1, 0.05]]).tolist() == book([[-0.1, 0.05]]).tolist()
