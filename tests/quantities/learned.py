"""Reference quantities of riskkit.var.learned and riskkit.learn."""

import numpy as np
import pandas as pd

from riskkit.learn import breach_probability
from riskkit.var import learned


def split_quantile(inputs):
    found = learned.conformal_quantile(inputs["scores"], 1.0 - inputs["alpha"])
    return {
        "k": found.rank,
        "quantile": found.bound,
        "expected_coverage": found.expected_coverage,
    }


def coverage_distribution(inputs):
    found = learned.conformal_quantile(np.arange(inputs["n"]), 1.0 - inputs["alpha"])
    return {
        **{"mean": found.expected_coverage, "sd": found.coverage_sd},
        "quantiles": [found.coverage_quantile(p) for p in inputs["probabilities"]],
    }


def quantile_interval(inputs):
    low, high, y = (np.asarray(inputs[name]) for name in ("lower", "upper", "y"))
    alone = [learned.conformal_interval([v], [a], [b], 0.5).bound for v, a, b in zip(y, low, high, strict=True)]
    return {"scores": alone, "adjustment": learned.conformal_interval(y, low, high, 1.0 - inputs["alpha"]).bound}


def regression(function, name):
    def quantity(inputs):
        returns = inputs.series()
        features = learned.har_features(returns.to_numpy())
        target = returns.to_numpy()[22:]
        found = {}
        for tau in inputs["tau"]:
            fit = function(features[:-1], target, tau)
            found[str(tau)] = {
                **{"coefficients": fit.coefficients, name: fit.loss},
                "forecast_next": fit.forecast(features[-1]),
            }
        return found

    return quantity


def splits(inputs):
    found = learned.purged_walk_forward(*(inputs[name] for name in ("n", "train", "test")), purge=inputs["purge"])
    return {"train": [train for train, _ in found], "test": [test for _, test in found]}


def breaches(inputs):
    """What came after each forecast, and the forecasts of the base rate alone."""
    times = pd.to_datetime(np.array(inputs["minutes"]) * 60_000_000_000, utc=True)
    found = breach_probability(
        pd.Series(inputs["used"], times),
        f"{inputs['within_minutes']}min",
        every=f"{inputs['every_minutes']}min",
        start=inputs["start"],
        folds=inputs["folds"],
        n_trees=1,
    )
    rows = found.forecasts
    return {
        **{"forecasts": len(rows), "breached": int(rows["breached"].sum())},
        "base_rate": rows["base rate"].iloc[[0, -1]].to_numpy(),
        "base_rate_brier": float(((rows["base rate"] - rows["breached"]) ** 2).mean()),
    }


QUANTITIES = {
    "breach_probability": breaches,
    "conformal_split_quantile": split_quantile,
    "conformal_coverage_distribution": coverage_distribution,
    "conformal_cqr": quantile_interval,
    "quantile_regression_har": regression(learned.quantile_regression, "mean_pinball"),
    "expectile_regression_har": regression(learned.expectile_regression, "mean_loss"),
    "purged_walk_forward": splits,
}
