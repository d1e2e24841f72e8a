"""Reference quantities of riskkit.returns."""

from riskkit import returns as rk


def loss_from_log_quantile(inputs):
    value, volatility, z = inputs["value"], inputs["log_vol"], inputs["z"]
    return {
        "var_simple_linear": rk.loss_from_log_quantile(value, volatility, z, linear=True),
        "var_lognormal": rk.loss_from_log_quantile(value, volatility, z),
    }


QUANTITIES = {
    "sqrt_time_ratio_ar1": lambda inputs: rk.sqrt_time_ratio(inputs["rho"], inputs["h"]),
    "loss_from_log_quantile": loss_from_log_quantile,
}
