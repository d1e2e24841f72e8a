"""Reference quantities of riskkit.instruments."""

import numpy as np
import pandas as pd

from riskkit import instruments


def option(inputs):
    """Arguments of an option, and its terms."""
    years = inputs["maturity"] if "maturity" in inputs else inputs["days"] / 365.0
    terms = {"rate": inputs["rate"], "dividend_yield": inputs["dividend_yield"]}
    return (inputs["spot"], inputs["strike"], years, inputs["vol"]), terms


def greeks(inputs):
    arguments, terms = option(inputs)
    return instruments.european_option(*arguments, **terms, option=inputs["type"])._asdict()


def currency_option(inputs):
    years = inputs["maturity"] if "maturity" in inputs else inputs["days"] / 365.0
    domestic, foreign = (
        inputs.first_of("rate_domestic", "rate", "domestic_rate"),
        inputs.first_of("rate_foreign", "foreign_rate"),
    )
    return instruments.european_option(
        inputs["spot"],
        inputs["strike"],
        years,
        inputs["vol"],
        rate=domestic,
        dividend_yield=foreign,
        option=inputs["type"],
    )._asdict()


def prices(inputs):
    arguments, terms = option(inputs)
    return {side: instruments.european_option(*arguments, **terms, option=side).price for side in ("call", "put")}


def on_forward(inputs):
    arguments = inputs["forward"], inputs["strike"], inputs["maturity"]
    return {
        "black76": instruments.black76(*arguments, inputs["vol"], rate=inputs["rate"]),
        "bachelier": instruments.bachelier(*arguments, inputs["normal_vol"], rate=inputs["rate"]),
    }


def american(inputs):
    arguments, terms = option(inputs)
    return {"price": instruments.american_option(*arguments, **terms)}


def ladder(inputs):
    arguments, terms = option(inputs)
    found = instruments.option_ladder(
        *arguments,
        **terms,
        option=inputs["type"],
        quantity=inputs["quantity"],
        spot_shifts=inputs["spot_shifts"],
        volatility_shifts=inputs["vol_shifts"],
    )
    return {"full_revaluation": found.revalued.to_numpy(), "delta_gamma_vega": found.expanded.to_numpy()}


def bond(inputs):
    terms = inputs["face"], inputs["coupon"], inputs["years"]
    value = instruments.bond(*terms, inputs["yield_"], frequency=inputs["frequency"])
    up = instruments.bond(*terms, inputs["yield_"] + 0.01, frequency=inputs["frequency"])
    return value._asdict() | {
        "pnl_up_100bp": up.price - value.price,
        "second_order_up_100bp": value.second_order(0.01),
    }


def continuous_bond(inputs):
    terms = inputs["face"], inputs["coupon"], inputs["years"], inputs["yield_continuous"]
    value = instruments.bond(*terms, frequency=inputs["frequency"], continuous=True)
    return {"price": value.price, "duration": value.macaulay}


def key_rates(inputs):
    flows = {float(years): amount for years, amount in inputs["cash_flows"].items()}
    curve = instruments.key_rates(flows, dict(zip(inputs["key_tenors"], inputs["zero_rates_continuous"], strict=True)))
    return {
        **{"price": curve.price, "key_rate_durations": curve.durations},
        "effective_duration": curve.effective_duration,
        "pnl": {name: curve.pnl(changes) for name, changes in inputs["scenarios"].items()},
    }


def liquidation(function):
    def quantity(inputs):
        terms = inputs["entry"], inputs["leverage"], inputs["maintenance_rate"]
        return {"long": function(*terms), "short": function(*terms, short=True)}

    return quantity


def funding(inputs):
    found = instruments.funding_payments(inputs["quantity"], inputs["mark"], inputs["rate"])
    return {"paid_by_long": found.payments, "total": found.total, "annualised_simple": found.annual_rate}


def futures_roll(inputs):
    """Prices as a table, or as two contracts, or as named contracts."""
    if "prices" in inputs or "file" in inputs:
        table = inputs.frame().to_numpy(dtype=float)
    else:
        contracts = inputs.first_of("contracts", default=None)
        columns = (
            list(contracts.values() if isinstance(contracts, dict) else contracts)
            if contracts is not None
            else [
                inputs.first_of("front", "near", "old", "first"),
                inputs.first_of("next", "back", "far", "new", "second"),
            ]
        )
        table = np.array([[np.nan if x is None else x for x in column] for column in columns], dtype=float).T
    rolls = np.atleast_1d(inputs.first_of("rolls", "roll", "roll_row", "roll_rows", "roll_index", "roll_day")).tolist()
    found = {name: instruments.continuous_futures(table, rolls, name) for name in ("ratio", "difference", "none")}
    aliases = {
        "ratio": ("ratio_adjusted", "proportional"),
        "difference": ("difference_adjusted", "panama", "back_adjusted"),
    }
    for name, others in aliases.items():
        found |= dict.fromkeys(others, found[name])
    return found | dict.fromkeys(("unadjusted", "spliced"), found["none"])


def held(book):
    """What a book of a case holds: cash, positions, or rows of options with the prices of their underlyings."""
    if "options" in book:
        table = pd.DataFrame(book["options"], columns=[*instruments.option_book.NEEDED, "rate", "dividend_yield"])
        return instruments.OptionBook(table, book["spots"])
    return book["positions"] if "positions" in book else book["cash"]


def currency_book(inputs):
    books = inputs["books"]
    book = instruments.CurrencyBook(
        {name: held(one) for name, one in books.items()},
        {name: one["currency"] for name, one in books.items()},
        inputs["rates"],
        inputs["reporting"],
        {name: tuple(pair) for name, pair in inputs.get("crosses", {}).items()},
        inputs.get("settled", ()),
    )
    moves = pd.DataFrame(inputs["moves"])
    return {"pnl": book(moves).to_numpy(), "value": book.value, **book.by_effect(moves).to_dict("list")}


def forward(inputs):
    terms = {"rate": inputs["rate_domestic"], "dividend_yield": inputs["rate_foreign"]}
    return instruments.forward_contract(inputs["spot"], inputs["strike"], inputs["maturity"], **terms)._asdict()


QUANTITIES = {
    "currency_book_pnl": currency_book,
    "fx_forward": forward,
    "futures_roll_adjustment": futures_roll,
    "european_option_greeks": greeks,
    "european_option_prices": prices,
    "garman_kohlhagen": currency_option,
    "black76_and_bachelier_call": on_forward,
    "american_put": american,
    "option_pnl_ladder": ladder,
    "bond_duration_convexity": bond,
    "bond_duration_continuous": continuous_bond,
    "key_rate_durations_and_scenarios": key_rates,
    "perp_liquidation_linear": liquidation(instruments.liquidation_price),
    "perp_liquidation_inverse": liquidation(instruments.inverse_liquidation_price),
    "perp_funding_rate": lambda inputs: {
        "rate": instruments.funding_rate(
            np.asarray(inputs["premium_index"]), interest=inputs["interest_8h"], clamp=inputs["clamp"]
        )
    },
    "perp_funding_payments": funding,
}
