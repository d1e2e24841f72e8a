"""Reference quantities of riskkit.returns."""

from riskkit import returns


def loss_from_log_quantile(inputs):
    value, volatility, z = inputs["value"], inputs["log_vol"], inputs["z"]
    return {
        "var_simple_linear": returns.loss_from_log_quantile(value, volatility, z, linear=True),
        "var_lognormal": returns.loss_from_log_quantile(value, volatility, z),
    }


QUANTITIES = {
    "sqrt_time_ratio_ar1": lambda inputs: returns.sqrt_time_ratio(inputs["rho"], inputs["h"]),
    "loss_from_log_quantile": loss_from_log_quantile,
}
