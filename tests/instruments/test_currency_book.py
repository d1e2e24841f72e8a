"""Books in several currencies: position by position from values before and after, triangles of rates, quotes in other units."""

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.instruments import CurrencyBook, OptionBook, european_option, forward_contract
from riskkit.stress import ScenarioCube, reverse_stress

RATES = {"USD": 0.9, "GBP": 1.2, "JPY": 0.006}
SHARES = {"AAPL": 1000.0, "MSFT": -400.0}
ROWS = [
    ["GBPUSD", 1.30, 0.5, 0.10, 300.0, "call", 0.04, 0.03],
    ["GBPUSD", 1.25, 0.5, np.nan, -200.0, "forward", 0.04, 0.03],
    ["EURUSD", 1.05, 1.0, 0.08, 500.0, "put", 0.04, 0.02],
]
COLUMNS = ["underlying", "strike", "years", "volatility", "quantity", "option", "rate", "dividend_yield"]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS, index=["cable call", "cable forward", "euro put"])
SPOTS = {"GBPUSD": 1.2 / 0.9, "EURUSD": 1.0 / 0.9}
CROSSES = {"GBPUSD": ("GBP", "USD"), "EURUSD": ("EUR", "USD")}
CURRENCIES = {"shares": "USD", "cash": "GBP", "home": "EUR", "options": "USD", "Nikkei future": "JPY"}
MOVES = pd.DataFrame(
    np.random.default_rng(3).normal(0.0, 0.06, (30, 7)),
    columns=["AAPL", "MSFT", "NKY", "USD", "GBP", "JPY", "vol"],
).assign(vol=lambda table: 0.1 * table["vol"])


def made():
    books = {
        "shares": SHARES,
        "cash": 50.0,
        "home": 7.0,
        "options": OptionBook(TABLE, SPOTS, {"GBPUSD": "vol"}, days=5.0),
        "Nikkei future": pd.Series({"NKY": 90_000.0}),
    }
    return CurrencyBook(books, CURRENCIES, RATES, "EUR", CROSSES, ["Nikkei future"])


def values(move, days):
    """Value of each position in euros where the rates and prices have moved, from nothing but prices."""
    usd, gbp = (RATES[name] * (1.0 + move[name]) for name in ("USD", "GBP"))
    found = [usd * SHARES[name] * (1.0 + move[name]) for name in SHARES] + [gbp * 50.0, 7.0]
    for (name, strike, years, volatility, quantity, kind, rate, foreign), bought in zip(
        ROWS, (gbp, gbp, 1.0), strict=True
    ):
        left = years - days / 252.0
        terms = {"rate": rate, "dividend_yield": foreign}
        if kind == "forward":
            price = bought / usd * np.exp(-foreign * left) - strike * np.exp(-rate * left)
        else:
            volatility += move["vol"] if name == "GBPUSD" else 0.0
            price = european_option(bought / usd, strike, left, volatility, option=kind, **terms).price
        found.append(usd * quantity * price)
    return np.array(found)


def test_pnl_is_the_value_after_less_the_value_before():
    book, still = made(), dict.fromkeys(MOVES, 0.0)
    found = book.pnl(MOVES)
    expected = np.array([values(move, 5.0) - values(still, 0.0) for _, move in MOVES.iterrows()])
    assert book.factors == ("AAPL", "MSFT", "vol", "NKY", "USD", "GBP", "JPY")
    assert list(found.columns) == list(book.positions) and book.positions[-1] == "Nikkei future: NKY"
    assert found.to_numpy()[:, :-1] == pytest.approx(expected, abs=1e-9)
    future = 90_000.0 * MOVES["NKY"] * 0.006 * (1.0 + MOVES["JPY"])  # only what was gained is exchanged
    assert found["Nikkei future: NKY"].to_numpy() == pytest.approx(future.to_numpy())
    assert book.value == pytest.approx(values(still, 0.0).sum())
    parts = book.by_effect(MOVES)
    assert parts.sum(axis=1).to_numpy() == pytest.approx(book(MOVES).to_numpy())
    assert "Books in USD, GBP, EUR, JPY; P&L in EUR" in repr(book) and "of which in JPY" in repr(book)


def test_quotes_in_another_unit_change_the_unit_and_nothing_else():
    dollars = CurrencyBook({"shares": SHARES}, {"shares": "USD"}, {"USD": 0.9}, "EUR")
    in_cents = CurrencyBook({"shares": SHARES}, {"shares": "USD"}, {"USD": 90.0}, "cent")
    assert in_cents(MOVES[["AAPL", "MSFT", "USD"]]).to_numpy() == pytest.approx(
        100.0 * dollars(MOVES[["AAPL", "MSFT", "USD"]]).to_numpy()
    )


def test_values_agree_in_every_reporting_currency():
    """Triangles close: the value afterwards in dollars times the dollar's rate afterwards is that in euros."""
    euros = made()
    rates = {"EUR": 1.0 / 0.9, "GBP": 1.2 / 0.9, "JPY": 0.006 / 0.9}
    dollars = CurrencyBook(euros.books, CURRENCIES, rates, "USD", CROSSES, ["Nikkei future"])
    usd = MOVES["USD"]
    theirs = MOVES.drop(columns="USD").assign(EUR=1.0 / (1.0 + usd) - 1.0)
    for name in ("GBP", "JPY"):
        theirs[name] = (1.0 + MOVES[name]) / (1.0 + usd) - 1.0
    after = (dollars.value + dollars(theirs)) * 0.9 * (1.0 + usd)
    assert after.to_numpy() == pytest.approx((euros.value + euros(MOVES)).to_numpy())


def test_small_moves_are_those_of_the_sensitivities_with_their_cross_terms():
    book = CurrencyBook(
        {"shares": SHARES, "options": OptionBook(TABLE, SPOTS), "cash": 50.0},
        {"shares": "USD", "options": "USD", "cash": "GBP"},
        {"USD": 0.9, "GBP": 1.2},
        "EUR",
        CROSSES,
    )
    expansion, small = book.delta_gamma(), 0.02 * MOVES[["AAPL", "MSFT", "USD", "GBP"]]
    exact = book(small).to_numpy()
    assert expansion.pnl(small).to_numpy() == pytest.approx(exact, abs=2e-3)
    linear = rk.pnl.linear(expansion.delta, small).to_numpy()
    assert np.abs(expansion.pnl(small).to_numpy() - exact).max() < 0.1 * np.abs(linear - exact).max()
    assert expansion.gamma.loc["AAPL", "USD"] == pytest.approx(0.9 * 1000.0)


def test_var_stress_attribution_and_cube_take_it(tmp_path):
    book = CurrencyBook({"shares": SHARES, "cash": 50.0}, CURRENCIES_OF_TWO, {"USD": 0.9, "GBP": 1.2}, "EUR")
    moves = MOVES[["AAPL", "MSFT", "USD", "GBP"]]
    pnl = book.pnl(moves)
    risk = rk.var.historical(book(moves), 0.9)
    parts = rk.attribution.historical(None, pnl, 0.9, measure="es")
    by_effect = rk.attribution.historical(None, book.by_effect(moves), 0.9, measure="es")
    assert parts.total == pytest.approx(risk.es) and by_effect.total == pytest.approx(risk.es)
    cube = ScenarioCube.write(tmp_path, [pnl.to_numpy()], book.positions)
    tree = {"firm": {"USD": list(book.positions[:2]), "GBP": ["cash"]}}
    assert cube.aggregate(tree)["firm"].to_numpy() == pytest.approx(book(moves).to_numpy())
    shock = pd.DataFrame({"USD": [-0.1]}, index=["dollar falls"])
    assert rk.stress_test(book, shock).losses["loss"].tolist() == pytest.approx([0.1 * 0.9 * 600.0])
    worst = reverse_stress(book, 40.0, moves.cov().to_numpy())
    assert book(np.array([worst.scenario]))[0] == pytest.approx(-40.0, rel=1e-6)


CURRENCIES_OF_TWO = {"shares": "USD", "cash": "GBP"}
ONE = {"a": {"X": 1.0}}
OPTIONS = OptionBook(TABLE, SPOTS)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: CurrencyBook({}, {}, {}, "EUR"), "books is empty"),
        (lambda: CurrencyBook(ONE, {}, {}, "EUR"), "currencies is missing the book 'a'"),
        (lambda: CurrencyBook(ONE, {"a": "USD"}, {}, "EUR"), "rates is missing 'USD': units of EUR"),
        (lambda: CurrencyBook(ONE, {"a": "USD", "b": "USD"}, RATES, "EUR"), "name 'b', which is not one of"),
        (lambda: CurrencyBook(ONE, {"a": "EUR"}, {}, "EUR", None, ["c"]), "name 'c', which is not one of"),
        (lambda: CurrencyBook(ONE, {"a": "USD"}, {"USD": -1.0}, "EUR"), "is not above zero"),
        (lambda: CurrencyBook(ONE, {"a": "USD"}, {"USD": 1.0, "EUR": 2.0}, "EUR"), "which is 1"),
        (lambda: CurrencyBook({"a": {"USD": 1.0}}, {"a": "USD"}, RATES, "EUR"), "which is a currency, too"),
        (lambda: CurrencyBook({"a": "x"}, {"a": "USD"}, RATES, "EUR"), "is no book; give cash"),
        (lambda: CurrencyBook({"a": np.nan}, {"a": "USD"}, RATES, "EUR"), r"books\['a'\]=nan"),
        (lambda: CurrencyBook({"a": True}, {"a": "USD"}, RATES, "EUR"), "is no book; give cash|boolean|number"),
        (lambda: CurrencyBook(ONE, {"a": "USD"}, RATES, "EUR", {"Y": ("GBP", "USD")}), "give a factor of the books"),
        (
            lambda: CurrencyBook({"o": OPTIONS}, {"o": "USD"}, RATES, "EUR", CROSSES | {"GBPUSD": ("USD", "GBP")}),
            "is it USD in GBP",
        ),
        (lambda: made()(MOVES[["USD"]] - 1.5), "a rate stays above 0"),
        (lambda: made()(MOVES.assign(GBPUSD=0.0)), "scenarios moves 'GBPUSD'"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_instruments_of_quantlib_in_another_currency():
    ql = pytest.importorskip("QuantLib", reason="QuantLib is not installed; it comes with the extra 'pricing'")
    from riskkit.instruments import PricedBook

    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    rate, count = ql.SimpleQuote(0.03), ql.Actual365Fixed()
    curve = ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(rate), count))
    zero = ql.ZeroCouponBond(0, ql.NullCalendar(), 100.0, today + 730)
    zero.setPricingEngine(ql.DiscountingBondEngine(curve))
    book = CurrencyBook({"bonds": PricedBook({"zero": zero}, {"rate": rate})}, {"bonds": "USD"}, {"USD": 0.9}, "EUR")
    before, after = 0.9 * 100.0 * np.exp(-0.06), 0.9 * 1.05 * 100.0 * np.exp(-0.08)
    assert book([[0.01, 0.05]])[0] == pytest.approx(after - before) and book.value == pytest.approx(before)
    with pytest.raises(InputError, match="priced by QuantLib and has no deltas here"):
        book.delta_gamma()
    with pytest.raises(InputError, match="moves are not relative"):
        CurrencyBook(book.books, {"bonds": "USD"}, {"USD": 0.9}, "EUR", {"rate": ("USD", "EUR")})


def test_forward_contracts_are_calls_less_puts():
    call, put = (
        european_option(1.1, 1.2, 0.7, 0.2, rate=0.04, dividend_yield=0.01, option=kind) for kind in ("call", "put")
    )
    forward = forward_contract(1.1, 1.2, 0.7, rate=0.04, dividend_yield=0.01)
    for name in ("price", "delta", "theta", "rho"):
        assert getattr(forward, name) == pytest.approx(getattr(call, name) - getattr(put, name))
    assert forward_contract(1.1, forward.fair, 0.7, rate=0.04, dividend_yield=0.01).price == pytest.approx(0.0)
