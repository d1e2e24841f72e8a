"""Reference quantities of riskkit.returns."""

import math

from riskkit import returns


def loss_from_log_quantile(inputs):
    value, volatility, z = inputs["value"], inputs["log_vol"], inputs["z"]
    return {
        "var_simple_linear": returns.loss_from_log_quantile(value, volatility, z, linear=True),
        "var_lognormal": returns.loss_from_log_quantile(value, volatility, z),
    }


def flags(inputs):
    prices = [math.nan if price is None else price for price in inputs["prices"]]
    options = {name: inputs[name] for name in ("stale_periods", "jump_size", "jump_window") if name in inputs}
    return returns.price_flags(prices, **options).to_dict("list")


QUANTITIES = {
    "price_flags": flags,
    "sqrt_time_ratio_ar1": lambda inputs: returns.sqrt_time_ratio(inputs["rho"], inputs["h"]),
    "loss_from_log_quantile": loss_from_log_quantile,
}
