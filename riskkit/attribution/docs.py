"""Descriptions of the parameters that the attributions share."""

from riskkit._docs import shared_parameters

documented = shared_parameters(
    {
        "positions": "(n_assets,)\n    Money held, negative when short; matched by name where both sides are labelled.",
        "covariance": "(n_assets, n_assets)\n    Covariance of simple returns over the horizon of the risk, symmetric "
        "positive semidefinite.",
        "confidence": "float\n    0.95 for 95 %; unused for a volatility.",
        "measure": '{"var", "es", "volatility"}\n    Risk measure.',
        "mean": "(n_assets,), optional\n    Mean returns over the same horizon; zero by default, as is usual for one day. "
        "Volatility has no mean term.",
        "z": "float, optional\n    Standard normal quantile to use as given, possibly rounded (1.65); the exact one by default.",
        "df": "float, optional\n    Degrees of freedom, above 2, of a Student t scaled to the given covariance; normal by "
        "default.",
    }
)
