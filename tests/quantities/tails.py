"""Reference quantities of riskkit.var.tails."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import kendalltau, spearmanr

from riskkit.var import parametric, tails


def returns_of(inputs):
    """The losses of the case as returns."""
    return -inputs.series()


def hill(inputs):
    table = tails.hill(returns_of(inputs), inputs["k"])
    losses, counts = np.sort(-returns_of(inputs))[::-1], table.index.to_numpy()
    over_the_kth = table["shape"] + np.log(table["threshold"]) - np.log(losses[counts - 1])
    return {
        **{"xi": table["shape"].tolist(), "alpha": table["tail_index"].tolist()},
        **{"xi_k_minus_1_version": over_the_kth.tolist(), "se": table["standard_error"].tolist()},
    }


def mean_excess(inputs):
    table = tails.mean_excess(returns_of(inputs), inputs["thresholds"]).reset_index()
    return {"mean_excess": table["mean_excess"].tolist()} | {
        name: table[column].tolist() for name, column in (("exceedances", "n_excesses"), ("se", "standard_error"))
    }


def stability(inputs):
    table = tails.threshold_stability(returns_of(inputs), inputs["thresholds"])
    names = {"xi": "shape", "beta": "scale", "modified_scale": "modified_scale", "loglik": "log_likelihood"}
    return {name: table[column].tolist() for name, column in names.items()}


def shape_interval(inputs):
    returns, threshold, coverage = returns_of(inputs), inputs["threshold"], inputs["level"]
    found = tails.tail_interval(returns, threshold=threshold, quantity="shape", coverage=coverage)
    losses = -returns.to_numpy()
    fit = parametric.fit_gpd(losses[losses > threshold] - threshold)
    return {
        "xi": found.estimate,
        "lower": found.low,
        "upper": found.high,
        "wald": wald(losses, threshold, fit, coverage),
    }


def wald(losses, threshold, fit, coverage):
    """Interval from the observed information, by differences of the likelihood."""
    from scipy.stats import genpareto, norm

    excesses = losses[losses > threshold] - threshold
    steps = np.array([1e-4, 1e-4 * fit.scale])

    def height(i, j):
        at = np.array([fit.shape, fit.scale]) + steps * [i, j]
        return genpareto.logpdf(excesses, at[0], scale=at[1]).sum()

    information = np.empty((2, 2))
    for a, b in ((0, 0), (0, 1), (1, 1)):
        e, f = np.eye(2)[a], np.eye(2)[b]
        second = height(*(e + f)) - height(*(e - f)) - height(*(f - e)) + height(*(-e - f))
        information[a, b] = information[b, a] = -second / (4.0 * steps[a] * steps[b])
    error = np.sqrt(np.linalg.inv(information)[0, 0])
    return [fit.shape + sign * norm.ppf(0.5 + 0.5 * coverage) * error for sign in (-1.0, 1.0)]


def var_es_profile(inputs):
    returns, threshold, coverage = returns_of(inputs), inputs["threshold"], inputs["level"]
    found = {
        (quantity, p): tails.tail_interval(returns, 1.0 - p, threshold=threshold, quantity=quantity, coverage=coverage)
        for quantity in ("var", "es")
        for p in inputs["p"]
    }
    intervals = {f"{name}_interval_p01": list(found[name, 0.01])[1:] for name in ("var", "es")}
    return {name: [found[name, p].estimate for p in inputs["p"]] for name in ("var", "es")} | intervals


def block_maxima(inputs):
    fit = tails.block_maxima(returns_of(inputs), inputs["block"])
    parts = {name: getattr(fit, name) for name in ("location", "scale", "shape")}
    return parts | {"loglik": fit.log_likelihood, "return_level_10_50": fit.return_level([10, 50])}


def extremal_index(inputs):
    returns, threshold = returns_of(inputs), inputs["threshold"]
    clusters = tails.decluster(returns, threshold, 5)
    return {
        "runs_theta": [tails.extremal_index(returns, threshold, run) for run in inputs["runs"]],
        "intervals_theta": tails.extremal_index(returns, threshold),
        "clusters_r5": len(clusters),
        "mean_cluster_max_r5": clusters["largest"].mean(),
    }


def garch_evt(inputs):
    shape = {"scale": inputs["beta"], "shape": inputs["xi"], "n_obs": inputs["n"], "n_excesses": inputs["exceedances"]}
    quantile = parametric.gpd_var(inputs["threshold_z"], inputs.confidence, **shape)
    shortfall = parametric.gpd_es(inputs["threshold_z"], inputs.confidence, **shape)
    scaled = {
        name: inputs["sigma_next"] * value - inputs["mu"] for name, value in (("var", quantile), ("es", shortfall))
    }
    return {"z_quantile": quantile, **scaled}


def observed_dependence(inputs):
    returns = -inputs.frame()
    table = tails.tail_dependence(returns, inputs["u"])
    return {
        **{"chi_conditional": table["chi"].tolist(), "chibar": table["chi_bar"].tolist()},
        "kendall_tau": kendalltau(*returns.to_numpy().T).statistic,
        "spearman": spearmanr(*returns.to_numpy().T).statistic,
    }


def archimedean(inputs):
    clayton, gumbel = inputs["theta_clayton"], inputs["theta_gumbel"]
    return {
        "clayton_lower": [tails.archimedean_tail_dependence("clayton", theta) for theta in clayton],
        "gumbel_upper": [tails.archimedean_tail_dependence("gumbel", theta) for theta in gumbel],
        "clayton_tau": [theta / (theta + 2.0) for theta in clayton],
        "gumbel_tau": [1.0 - 1.0 / theta for theta in gumbel],
    }


def densities(inputs):
    u, t = inputs["u"], inputs["t"]
    return {
        "clayton": tails.copula_log_density(u, "clayton", dependence=inputs["clayton_theta"]),
        "gumbel": tails.copula_log_density(u, "gumbel", dependence=inputs["gumbel_theta"]),
        "t": tails.copula_log_density(u, "t", correlation=t["rho"], df=t["nu"]),
        "gaussian": tails.copula_log_density(u, correlation=inputs["gaussian_rho"]),
    }


def shapes(inputs):
    table = tails.shape_estimates(returns_of(inputs), inputs["k"])
    return {name: table[name].tolist() for name in table}


def chi_log(inputs):
    """2 - ln C(u,u)/ln u, with C(u,u) = 1 - 2 P(U > u) + P(U > u, V > u)."""
    returns = -inputs.frame()
    table = tails.tail_dependence(returns, inputs["u"])
    both = table["n_joint"] / len(returns)
    below = 1.0 - 2.0 * both / table["chi"] + both
    return {"chi": (2.0 - np.log(below) / np.log(table.index.to_numpy())).tolist()}


def gumbel_fit(inputs):
    ranks = -inputs.frame() if inputs.get("sign") == "returns" else inputs.frame()
    u = ranks.rank().to_numpy() / (len(ranks) + 1.0)
    found = minimize_scalar(
        lambda theta: -tails.copula_log_density(u, "gumbel", dependence=theta).sum(),
        bounds=(1.0001, 30.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return {
        **{"theta": found.x, "loglik": -found.fun, "upper": 2.0 - 2.0 ** (1.0 / found.x)},
        **dict.fromkeys(("upper_tail", "lambda_upper", "tail_dependence"), 2.0 - 2.0 ** (1.0 / found.x)),
        **dict.fromkeys(("tau", "kendall_tau"), 1.0 - 1.0 / found.x),
    }


QUANTITIES = {
    "pickands_and_moment_estimators": shapes,
    "tail_dependence_chi_log": chi_log,
    "gumbel_copula_pseudo_ml": gumbel_fit,
    "hill_estimator": hill,
    "mean_excess": mean_excess,
    "gpd_threshold_stability": stability,
    "gpd_profile_interval_shape": shape_interval,
    "gpd_var_es_profile": var_es_profile,
    "gev_block_maxima": block_maxima,
    "extremal_index": extremal_index,
    "garch_evt_var_es": garch_evt,
    "tail_dependence_t": lambda inputs: tails.t_tail_dependence(inputs["rho"], inputs["nu"]),
    "tail_dependence_t_table": lambda inputs: {
        "lambda": [[tails.t_tail_dependence(rho, nu) for rho in inputs["rho"]] for nu in inputs["nu"]]
    },
    "tail_dependence_t_finite": lambda inputs: [
        tails.t_tail_dependence(inputs["rho"], inputs["nu"], confidence=1.0 - u) for u in inputs["u"]
    ],
    "tail_dependence_archimedean": archimedean,
    "tail_dependence_empirical": observed_dependence,
    "copula_log_densities": densities,
}
