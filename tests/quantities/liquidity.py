"""Reference quantities of riskkit.liquidity."""

from scipy.special import ndtr

from riskkit import liquidity


def level(inputs):
    """z as given with its confidence, or the confidence."""
    return {"z": inputs["z"], "confidence": ndtr(inputs["z"])} if "z" in inputs else {"confidence": inputs.confidence}


def spread_var(inputs, price):
    """One position with its spread; `exogenous` cases give the mean, sd and multiplier of the spread."""
    return liquidity.spread_var(
        inputs.first_of("value", "price", "position"),
        inputs.first_of("vol", "volatility", "sigma"),
        inputs.first_of("spread", "spread_mean"),
        spread_sd=inputs.get("spread_sd", 0.0),
        spread_multiplier=inputs.get("spread_multiplier", 0.0),
        tail_factor=inputs.get("theta", 1.0),
        distribution=price,
        **level(inputs),
    )


def lvar_constant_spread(inputs):
    answer = spread_var(inputs, "normal")
    return {
        "var": answer.price_var,
        "lc": answer.spread_cost,
        "lvar": answer.total,
        "ratio": answer.total / answer.price_var if answer.price_var else None,
    }


def lvar_exogenous_spread(inputs):
    answer = spread_var(inputs, "lognormal")
    return {
        **dict.fromkeys(("price_var_lognormal", "price_var"), answer.price_var),
        "spread_cost": answer.spread_cost,
        **dict.fromkeys(("lvar", "total"), answer.total),
    }


def almgren_impact(inputs):
    volume, outstanding = inputs.first_of("adv_m", "adv"), inputs.first_of("shares_out_m", "shares_out")
    impact = liquidity.almgren_impact(
        inputs["x_over_adv"] * volume,
        volume,
        inputs["daily_vol"],
        inputs.first_of("T_days", "days", "T"),
        outstanding,
        permanent_coefficient=inputs.get("gamma", 0.314),
        temporary_coefficient=inputs.get("eta", 0.142),
    )
    return {
        "permanent_bp": impact.permanent * 1e4,
        "temporary_bp": impact.temporary * 1e4,
        "realized_bp": impact.realized * 1e4,
    }


def liquidation(inputs):
    market = liquidity.CrossImpact(
        *(inputs[name] for name in ("covariance", "temporary", "permanent", "impact_profile", "volatility_profile"))
    )
    plan = liquidity.liquidate_portfolio(
        inputs["positions"], inputs["days"], inputs["n_trades"], market, risk_aversion=inputs["risk_aversion"]
    )
    return {"holdings": plan.holdings, "expected_cost": plan.expected_cost, "cost_sd": plan.cost_sd}


QUANTITIES = {
    "liquidate_portfolio": liquidation,
    "lvar_constant_spread": lvar_constant_spread,
    "lvar_exogenous_spread": lvar_exogenous_spread,
    "almgren_impact": almgren_impact,
}
