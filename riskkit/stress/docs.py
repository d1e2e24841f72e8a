"""Descriptions of the parameters that the stress tests share."""

from riskkit._docs import shared_parameters

documented = shared_parameters(
    {
        "book": "positions, DeltaGamma, callable, or P&L\n    As in `riskkit.pnl.scenario`: positions in money, "
        "(n_assets,) or (n_books, n_assets); sensitivities;\n    ``revalue(scenarios)``; or, without scenarios, P&L per "
        "scenario, (n_obs,) or (n_obs, n_books).",
        "scenarios": "(n_scenarios, n_factors)\n    Moves, one row per scenario; matched by name if labelled.",
        "covariance": "(n_factors, n_factors)\n    Covariance of the moves over the horizon of the scenarios, positive "
        "semidefinite.",
        "mean": "(n_factors,), optional\n    Mean moves; zero by default.",
        "df": "float, optional\n    Degrees of freedom of a multivariate Student t with this covariance, above 2; normal "
        "by default.",
        "windows": "optional\n    Names of `HISTORICAL_EPISODES`, or a mapping from names to (start, end), start being the last close "
        "before the window (row\n    numbers without labels). By default all episodes that the rows cover.",
        "additive": "sequence of labels\n    Factors whose moves add up over time instead of compounding: changes of "
        "yields, spreads, volatilities.",
        "hierarchy": "mapping, optional\n    Book -> desk -> firm hierarchy, as in `riskkit.pnl.aggregate`.",
        "total": "label, optional\n    Name of an additional node above all others.",
    }
)
