"""Reference quantities of riskkit.attribution, and the closed forms of two-asset books."""

import numpy as np
from scipy.special import ndtr

from riskkit import attribution
from riskkit.attribution.hierarchical import leaf_order
from riskkit.covariance import FactorCovariance, covariance_from_correlation, sample_covariance


def book(inputs):
    """Positions in money and the covariance of their returns, by whatever names the case gives them."""
    given = inputs.first_of("positions", "values", "amounts", "exposures", "weights", "w")
    positions = np.asarray(given, dtype=float)
    if not {"positions", "values", "amounts", "exposures"} & inputs.keys():
        positions = positions * inputs.first_of("value", "portfolio_value", default=1.0)
    covariance = inputs.first_of("cov", "covariance", "cov_matrix", "sigma_matrix", default=None)
    if covariance is None:
        vols = inputs.first_of("vols", "daily_vols", "sds", "sigmas", "volatilities")
        correlation = inputs.first_of("rho", "corr", "correlation", "correlations", default=0.0)
        if np.ndim(correlation) == 0:
            correlation = np.where(np.eye(len(vols), dtype=bool), 1.0, float(correlation))
        covariance = covariance_from_correlation(correlation, vols)
    return positions, np.asarray(covariance, dtype=float)


def level(inputs):
    """z as given with its confidence, or the confidence."""
    if "z" in inputs:
        return {"z": inputs["z"], "confidence": ndtr(inputs["z"])}
    return {"confidence": inputs.confidence if {"confidence", "level", "p"} & inputs.keys() else 0.95}


def portfolio_var(inputs):
    positions, covariance = book(inputs)
    individual = attribution.standalone(positions, covariance, **level(inputs))
    return {
        "var": attribution.portfolio(positions, covariance, **level(inputs)),
        "individual": individual,
        "undiversified": individual.sum(),
        "portfolio_vol": attribution.component(positions, covariance, measure="volatility").sum()
        / abs(positions.sum()),
    }


def delta_normal_var_portfolio(inputs):
    positions, covariance = book(inputs)
    horizon = covariance * inputs.get("days", 1)
    var = attribution.portfolio(positions, horizon, **level(inputs))
    return {
        "sd": attribution.component(positions, covariance, measure="volatility").sum(),
        **dict.fromkeys(("var", f"var{inputs.get('days', 1)}", "var_days"), var),
        "var1": attribution.portfolio(positions, covariance, **level(inputs)),
        "diversification_benefit": attribution.standalone(positions, horizon, **level(inputs)).sum() - var,
    }


def marginal_var(inputs):
    positions, covariance = book(inputs)
    marginal = attribution.marginal(positions, covariance, **level(inputs))
    var = attribution.portfolio(positions, covariance, **level(inputs))
    value = inputs.first_of("value", "portfolio_value", default=positions.sum())
    beta = marginal * value / var
    return {
        **dict.fromkeys(("marginal", "marginal_var"), marginal),
        "beta": beta,
        "var": var,
        "portfolio_vol": attribution.component(positions, covariance, measure="volatility").sum() / value,
    }


def component_var(inputs):
    positions, covariance = book(inputs)
    component = attribution.component(positions, covariance, **level(inputs))
    var = component.sum()
    return {
        **dict.fromkeys(("component", "component_var"), component),
        "var": var,
        **dict.fromkeys(("pct", "percent"), 100.0 * component / var),
    }


def incremental_var(inputs):
    positions, covariance = book(inputs)
    trade = np.asarray(inputs.first_of("add", "trade"), dtype=float)
    before = attribution.portfolio(positions, covariance, **level(inputs))
    change = attribution.incremental(positions, covariance, trade, **level(inputs))
    return {
        **dict.fromkeys(("full_reval", "incremental", "incremental_var"), change),
        **dict.fromkeys(
            ("approx", "approximation"), attribution.marginal(positions, covariance, **level(inputs)) @ trade
        ),
        **dict.fromkeys(("var_before", "var_old"), before),
        **dict.fromkeys(("var_after", "var_new"), before + change),
    }


def component_and_incremental(inputs):
    positions, covariance = book(inputs)
    first = {
        "component": attribution.component(positions, covariance, **level(inputs))[0],
        "incremental": attribution.incremental(positions, covariance, **level(inputs))[0],
        "standalone": attribution.standalone(positions, covariance, **level(inputs))[0],
    }
    return {
        "var": attribution.portfolio(positions, covariance, **level(inputs)),
        **first,
        **{f"{name}_var": value for name, value in first.items()},
        **dict.fromkeys(("individual", "individual_var", "stand_alone", "stand_alone_var"), first["standalone"]),
    }


def sample(inputs):
    """Weights and the returns of the chosen columns; rows with a missing value in any of them are left out."""
    return inputs.weights(), inputs.frame().dropna()


def parts(split, *names):
    """The total under every name a case may use, contributions, and their shares."""
    return {
        **dict.fromkeys(names, split.total),
        **dict.fromkeys(("contribution", "component"), np.asarray(split.component)),
        **dict.fromkeys(("pct", "share"), np.asarray(split.share)),
        **dict.fromkeys(("sum_of_contributions", "sum"), float(np.asarray(split.component).sum())),
    }


def component_var_gaussian(inputs):
    return parts(attribution.parametric(*sample(inputs), inputs.confidence), "VaR", "var", "gVaR")


def component_es_gaussian(inputs):
    return parts(attribution.parametric(*sample(inputs), inputs.confidence, measure="es"), "ES", "es", "gES")


def component_var_cornish_fisher(inputs):
    split = attribution.cornish_fisher(
        *sample(inputs), inputs.confidence, corrected=False, out_of_domain="allow", standardised_by="volatility"
    )
    return parts(split, "MVaR", "VaR", "var", "mVaR", "modified_var")


def component_std(inputs):
    weights, returns = sample(inputs)
    component = attribution.component(weights, sample_covariance(returns, ddof=1), measure="volatility")
    total = float(component.sum())
    return {
        **dict.fromkeys(("contribution", "component"), np.asarray(component)),
        **dict.fromkeys(("std", "StdDev", "sd", "stdev", "volatility"), total),
        **dict.fromkeys(("pct", "share"), np.asarray(component) / total),
    }


def component_var_historical(inputs):
    split = attribution.historical(*sample(inputs), inputs.confidence, match="linear")
    return parts(split, "hVaR", "VaR", "var")


def component_var_historical_single_scenario(inputs):
    split = attribution.historical(*sample(inputs), inputs.confidence, estimator="inverted_cdf")
    return parts(split, "hVaR", "VaR", "var")


def component_es_historical(inputs):
    return parts(attribution.historical(*sample(inputs), inputs.confidence, measure="es"), "hES", "ES", "es", "cvar")


def component_es_historical_given_threshold(inputs):
    split = attribution.scenarios(*sample(inputs), inputs.first_of("threshold_loss", "threshold"))
    return {**parts(split, "hES", "ES", "es"), "n_tail": round(split.effective_scenarios)}


def incremental_var_historical(inputs):
    """Of every position, or of the one that the case names by number or by column."""
    weights, returns = sample(inputs)
    change = attribution.incremental(weights, returns=returns, confidence=inputs.confidence, quantile="linear")
    one = inputs.first_of("asset", "remove", "drop", "index", "position", default=None)
    return change.to_numpy() if one is None else change.iloc[one] if isinstance(one, int) else change[one]


def factor_var(inputs):
    exposures, own = np.array(inputs["exposures"]), np.array(inputs["specific_variance"])
    model = FactorCovariance(exposures, np.array(inputs["factor_covariance"]), own, 0.0)
    parts = attribution.by_factor(np.array(inputs["positions"]), model, inputs["level"])
    return {
        **{"var": parts.total, "factor_contribution": parts.by_factor, "specific_contribution": parts.specific},
        **{"factor_share": parts.by_factor.sum() / parts.total, "positions_contribution": parts.by_position},
    }


def active_risk(inputs):
    """Contributions of the active weights to the tracking error: those of any portfolio, of the difference."""
    held, market = np.array(inputs["weights"]), np.array(inputs["benchmark_weights"])
    matrix = np.array(inputs["covariance"])
    risk = attribution.portfolio(held - market, matrix, measure="volatility")
    parts = attribution.component(held - market, matrix, measure="volatility")
    total = attribution.portfolio(held, matrix, measure="volatility")
    marginal = attribution.marginal(market, matrix, measure="volatility")
    of_market = attribution.portfolio(market, matrix, measure="volatility")
    beta = float(held @ marginal) / of_market
    return {
        **{
            "tracking_error": risk,
            "contribution": parts,
            "pct": 100.0 * parts / risk,
            "beta": beta,
            "total_vol": total,
        },
        "marginal": attribution.marginal(held - market, matrix, measure="volatility"),
        "residual_vol": attribution.portfolio(held - beta * market, matrix, measure="volatility"),
    }


def parity(inputs):
    covariance, budgets = np.asarray(inputs["covariance"]), inputs.get("budgets")
    weights = attribution.risk_budgeting(covariance, budgets)
    risk = attribution.component(weights, covariance, measure="volatility")
    return {"weights": weights, "vol": risk.sum(), "contribution_share": risk / risk.sum()}


def unconstrained(inputs):
    covariance = np.asarray(inputs["covariance"])
    variances, most = np.diag(covariance), attribution.maximum_diversification(covariance)
    return {
        "min_variance_long_short": attribution.minimum_variance(covariance),
        "max_diversification_long_short": most,
        "diversification_ratio": attribution.diversification_ratio(most, covariance),
        # without correlations the two are these
        "inverse_variance": attribution.minimum_variance(np.diag(variances)),
        "inverse_vol": attribution.risk_budgeting(np.diag(variances)),
    }


def hierarchical(inputs):
    covariance = np.asarray(inputs["covariance"])
    return {"order": leaf_order(covariance), "weights": attribution.hierarchical_risk_parity(covariance)}


def brinson(inputs):
    names = ("weights", "returns", "benchmark_weights", "benchmark_returns")
    table = attribution.brinson_fachler(*(inputs[name] for name in names))
    return {name: table[name].tolist() for name in table} | {"active": table["total"].sum()}


QUANTITIES = {
    "risk_parity": parity,
    "risk_budgeting": parity,
    "min_variance_max_diversification": unconstrained,
    "hierarchical_risk_parity": hierarchical,
    "brinson_fachler": brinson,
    "tracking_error_contributions": active_risk,
    "factor_var_attribution": factor_var,
    "portfolio_var": portfolio_var,
    "delta_normal_var_portfolio": delta_normal_var_portfolio,
    "marginal_var": marginal_var,
    "component_var": component_var,
    "incremental_var": incremental_var,
    "component_and_incremental": component_and_incremental,
    "component_var_gaussian": component_var_gaussian,
    "component_es_gaussian": component_es_gaussian,
    "component_var_cornish_fisher": component_var_cornish_fisher,
    "component_std": component_std,
    "component_var_historical": component_var_historical,
    "component_var_historical_single_scenario": component_var_historical_single_scenario,
    "component_es_historical": component_es_historical,
    "component_es_historical_given_threshold": component_es_historical_given_threshold,
    "incremental_var_historical": incremental_var_historical,
}
