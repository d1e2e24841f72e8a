"""Reference quantities of riskkit.performance."""

import math

import numpy as np
import pandas as pd

from riskkit import InputError, performance
from riskkit.covariance import sample_volatility

LEVELS = ("prices", "equity", "equity_curve", "nav", "wealth")
STARTS = ("start", "start_value", "initial", "initial_equity", "initial_value")


FREQUENCIES = {"daily": 252, "weekly": 52, "monthly": 12, "quarterly": 4, "yearly": 1, "annual": 1}


def periods(inputs):
    given = inputs.first_of("periods_per_year", "periods", "frequency", default=252)
    return FREQUENCIES[given] if isinstance(given, str) else given


def wealth(inputs):
    """The series of the case, and what its wealth is made of: returns, or the levels of a price or an equity curve."""
    for name in LEVELS:
        if isinstance(inputs.get(name), list):
            before = [inputs[start] for start in STARTS if start in inputs]
            return pd.Series([*before, *inputs[name]], dtype=float), "prices"
    return inputs.series(), inputs.get("of", "returns")


def of_each(measure):
    """The measure of the series, or of each column."""
    return lambda inputs: inputs.each(lambda returns: defined(measure, returns, inputs))


def defined(measure, *args):
    """The measure, or None where it is undefined."""
    try:
        return measure(*args)
    except InputError:
        return None


def on_wealth(measure, file_of="returns"):
    """A measure of the drawdown path; `file_of` says what a data file holds."""

    def answer(inputs):
        if "file" in inputs:
            return inputs.each(lambda series: measure(series, input=file_of))
        series, of = wealth(inputs)
        return measure(series, input=of)

    return answer


def sharpe_per_period(returns, inputs):
    risk_free = inputs.first_of("rf", "risk_free", "rf_monthly", "rf_period", default=0.0)
    return performance.sharpe_ratio(returns, definition="per_period", risk_free=risk_free)


def drawdown_table(inputs):
    series, of = wealth(inputs)
    table = performance.drawdown_table(series, input=of, top=inputs.get("top"))
    return {
        **dict.fromkeys(("from_", "from"), [item.start for item in table]),
        "trough": [item.trough for item in table],
        "to": [item.end for item in table],
        "depth": [-item.depth for item in table],
        "length": [item.length for item in table],
        "to_trough": [item.to_trough for item in table],
        "recovery": [item.recovery for item in table],
    }


def drawdown_open_at_end(inputs):
    series, of = wealth(inputs)
    table = performance.drawdown_table(series, input=of, order="time")
    return {
        "depths": [item.depth for item in table],
        "periods_under_water": [item.under_water for item in table],
        "recovered": [item.recovered for item in table],
    }


def performance_set(inputs):
    def one(returns):
        return {
            "max_drawdown": performance.max_drawdown(returns),
            "ulcer": performance.ulcer_index(returns),
            "sharpe": defined(performance.sharpe_ratio, returns, periods(inputs)),
            "sortino": defined(performance.sortino_ratio, returns, periods(inputs)),
            "cdar95": performance.conditional_drawdown_at_risk(returns, 0.95),
            "win_rate": defined(performance.win_rate, returns),
            "payoff": defined(performance.payoff_ratio, returns),
            "profit_factor": defined(performance.profit_factor, returns),
        }

    return inputs.each(one)


def both(inputs):
    data = inputs.frame()
    return data[inputs["portfolio"]], data[inputs["benchmark"]], inputs["periods_per_year"]


def regression(inputs):
    ours, market, periods = both(inputs)
    result = performance.compare_to_benchmark(ours, market, periods, risk_free=inputs["risk_free"] / periods)
    return {
        **{"beta": result.beta, "alpha_per_period": result.alpha, "r2": result.r_squared},
        **{
            "correlation": math.copysign(math.sqrt(result.r_squared), result.beta),
            "beta_se": result.beta_standard_error,
        },
        "residual_sd_n_minus_2": result.residual_volatility,
        "alpha_annual_arithmetic": result.alpha * periods,
        "alpha_annual_compound": (1.0 + result.alpha) ** periods - 1.0,
    }


def active(inputs):
    ours, market, periods = both(inputs)
    ratio = performance.information_ratio
    return {
        "tracking_error_annual": performance.tracking_error(ours, market, periods),
        "tracking_error_per_period": performance.tracking_error(ours, market),
        "active_mean_annual": performance.annualized_return(ours - market, periods, method="arithmetic"),
        "information_ratio_arithmetic": ratio(ours, market, periods),
        "information_ratio_geometric": ratio(ours, market, periods, definition="geometric"),
        "information_ratio_per_period": ratio(ours, market, definition="per_period"),
    }


def captures(inputs):
    ours, market, periods = both(inputs)
    names = {"annualised": "annualized", "mean": "mean", "cumulative": "cumulative"}
    found = {
        f"{side}_{name}": performance.capture_ratio(ours, market, side, definition=kind, periods_per_year=periods)
        for side in ("up", "down")
        for name, kind in names.items()
    }
    for side, here in (("up", market > 0.0), ("down", market < 0.0)):
        sign = 1.0 if side == "up" else -1.0
        found[f"{side}_number"] = performance.win_rate(sign * ours[here], zeros="include")
        part = performance.compare_to_benchmark(ours[here], market[here], periods)
        found[f"{side}_percentage"] = part.batting_average
    found["batting_average"] = performance.compare_to_benchmark(ours, market, periods).batting_average
    return found


def sided_betas(inputs):
    ours, market, periods = both(inputs)
    result = performance.compare_to_benchmark(ours, market, periods)
    bull, bear = result.up_beta, result.down_beta
    return {**dict.fromkeys(("bull_beta", "bull", "up"), bull), **dict.fromkeys(("bear_beta", "bear", "down"), bear)}


def treynor_m2_jensen(inputs):
    ours, market, periods = both(inputs)
    result = performance.compare_to_benchmark(ours, market, periods, risk_free=inputs.get("risk_free", 0.0) / periods)
    return {
        "treynor": result.treynor_ratio,
        **dict.fromkeys(("m2", "m_squared"), result.m_squared),
        **dict.fromkeys(("jensen", "jensen_alpha", "jensen_annual"), result.alpha * periods),
    }


def rolling(inputs):
    ours, market, periods = both(inputs)
    table = performance.rolling_performance(ours, inputs["window"], periods, benchmark=market).iloc[inputs["at_rows"]]
    columns = {"vol_annual": "volatility"} | {
        name: name for name in ("sharpe", "beta", "tracking_error", "max_drawdown", "correlation")
    }
    return {name: table[column].to_numpy() for name, column in columns.items()}


def months(inputs):
    ours, _, _ = both(inputs)
    table = performance.monthly_table(ours)
    year, every = table.loc[inputs["year"]], table.drop(columns="year").stack().dropna()
    return {
        **{"months": year.drop("year").to_numpy(), "year_total": year["year"]},
        **{"best_month": every.max(), "worst_month": every.min(), "positive_months": (every > 0.0).mean()},
    }


def drawdown_in_money(inputs):
    ours, _, _ = both(inputs)
    wealth = inputs["initial_capital"] * (1.0 + ours).cumprod().to_numpy()
    pnl = np.diff(wealth, prepend=inputs["initial_capital"])
    return {
        "max_drawdown_money": performance.max_drawdown(pnl, input="pnl"),
        "row_of_trough": int(performance.drawdown_series(pnl, input="pnl").argmax()),
        "max_drawdown_fraction": performance.max_drawdown(ours),
        "end_value": wealth[-1],
    }


def ratios(inputs):
    returns, year = inputs.series(), inputs["periods_per_year"]
    return {
        "sharpe": performance.sharpe_ratio(returns, year),
        "sortino": performance.sortino_ratio(returns, year),
        "calmar": performance.calmar_ratio(returns, year),
        "omega": performance.omega_ratio(returns),
        "annual_return": performance.annualized_return(returns, year),
        "annual_volatility": performance.annualized_volatility(returns, year),
        "tail_ratio": performance.tail_ratio(returns),
        "stability": performance.stability(returns),
        "downside_risk": performance.downside_deviation(returns) * year**0.5,
    }


QUANTITIES = {
    "empyrical_ratios": ratios,
    "regression_on_benchmark": regression,
    "tracking_error_information_ratio": active,
    "capture_ratios": captures,
    "bull_bear_beta": sided_betas,
    "treynor_m2_jensen": treynor_m2_jensen,
    "rolling_performance": rolling,
    "monthly_table": months,
    "drawdown_in_money": drawdown_in_money,
    "stdev_sample": of_each(lambda returns, inputs: sample_volatility(returns)),
    "annualised_vol": of_each(lambda returns, inputs: performance.annualized_volatility(returns, periods(inputs))),
    "annualised_return_geometric": of_each(
        lambda returns, inputs: performance.annualized_return(returns, periods(inputs))
    ),
    "sharpe_annual_geometric": of_each(
        lambda returns, inputs: performance.sharpe_ratio(returns, periods(inputs), definition="geometric")
    ),
    "sharpe_annual_arithmetic": of_each(lambda returns, inputs: performance.sharpe_ratio(returns, periods(inputs))),
    "sharpe_monthly": of_each(sharpe_per_period),
    "downside_deviation_full": of_each(
        lambda returns, inputs: performance.downside_deviation(returns, inputs.get("mar", 0.0))
    ),
    "downside_deviation_subset": of_each(
        lambda returns, inputs: performance.downside_deviation(returns, inputs.get("mar", 0.0), divisor="below")
    ),
    "sortino": of_each(lambda returns, inputs: performance.sortino_ratio(returns, threshold=inputs.get("mar", 0.0))),
    "omega_threshold_0": of_each(lambda returns, inputs: performance.omega_ratio(returns)),
    "skewness_moment": of_each(lambda returns, inputs: performance.skewness(returns)),
    "excess_kurtosis_moment": of_each(lambda returns, inputs: performance.excess_kurtosis(returns)),
    "skewness_fisher": of_each(lambda returns, inputs: performance.skewness(returns, method="sample")),
    "excess_kurtosis_sample": of_each(lambda returns, inputs: performance.excess_kurtosis(returns, method="sample")),
    "max_drawdown": on_wealth(performance.max_drawdown),
    "max_drawdown_geometric": on_wealth(performance.max_drawdown),
    "max_drawdown_first_day": on_wealth(performance.max_drawdown, "prices"),
    "max_drawdown_from_prices": on_wealth(performance.max_drawdown, "prices"),
    "max_drawdown_arithmetic": lambda inputs: inputs.each(
        lambda r: performance.max_drawdown(r, input="summed_returns")
    ),
    "calmar": of_each(lambda returns, inputs: performance.calmar_ratio(returns, periods(inputs))),
    "ulcer_index": on_wealth(performance.ulcer_index),
    "pain_index": on_wealth(performance.pain_index),
    "drawdown_table": drawdown_table,
    "drawdown_open_at_end": drawdown_open_at_end,
    "performance_set": performance_set,
}
