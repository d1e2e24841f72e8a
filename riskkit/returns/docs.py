"""Descriptions of the parameters that the functions share."""

from riskkit._docs import shared_parameters

documented = shared_parameters(
    {
        "prices": "(n_obs,) or (n_obs, n_series)\n    Prices above zero, oldest first.",
        "returns": "(n_obs,) or (n_obs, n_series)\n    Simple returns per period as fractions, oldest first.",
        "horizon": "int\n    Horizon in periods.",
    }
)
