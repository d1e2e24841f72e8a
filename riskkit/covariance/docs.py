"""Descriptions of the parameters that the estimators share."""

from riskkit._docs import shared_parameters

PARAMETERS = {
    "returns": "(n_obs, n_assets)\n    Returns per period, oldest first.",
    "ddof": "int\n    The divisor is n_obs - ddof: 1 for the sample (unbiased), 0 for the population.",
    "mean": '{"sample", "zero"}\n    Deviations from the sample mean, or from zero, as is usual for daily returns '
    "(then with ddof=0).",
    "decay": "float\n    Weight of the past (lambda), between 0 and 1: 0.94 for daily, 0.97 for monthly data in "
    "RiskMetrics.",
    "start": '{"backcast", "first_square", "sample", "zero"}, number or array\n    Variance (covariance) before the '
    "first return; see `riskkit.covariance.ewma`.",
    "covariance": "(n_assets, n_assets)\n    Symmetric, variances above zero.",
    "method": '{"higham", "spectral"}\n    Nearest in the Frobenius norm, by alternating projections; or eigenvalues '
    "clipped once and the diagonal rescaled,\n    which is faster, and near but not nearest.",
    "min_eigenvalue": "float\n    Floor of the eigenvalues of the correlations, from 0 up to below 1, met to within "
    "`tolerance`. A value slightly above\n    zero makes a Cholesky factor possible.",
    "omega": "float\n    Constant term of the variance, at least zero, in the square of the unit of returns.",
    "alpha": "float\n    Weight of the last squared return, at least zero.",
    "beta": "float\n    Weight of the last variance, at least zero.",
}
documented = shared_parameters(PARAMETERS)
