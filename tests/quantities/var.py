"""Reference quantities of riskkit.var: definitions that differ between books are named options of one call."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from riskkit import var
from riskkit.covariance import sample_volatility
from riskkit.pnl import DeltaGamma, linear
from riskkit.var import parametric


def level(inputs):
    """The confidence, or several of them, however the case calls it."""
    given = inputs.first_of("confidence", "level", "levels", "confidences", default=None)
    if given is None:
        given = 1.0 - np.asarray(inputs.first_of("p", "ps", "alpha"), dtype=float)
    return given if np.ndim(given) == 0 else list(given)


def returns_of(inputs):
    """Returns, or losses with their sign turned."""
    return -inputs.series() if "losses" in inputs else inputs.series()


def var_by(**options):
    """Minus a sample quantile under a definition."""
    return lambda inputs: inputs.each(lambda returns: var.value_at_risk(returns, level(inputs), **options).var)


def es_by(**options):
    return lambda inputs: inputs.each(lambda returns: var.value_at_risk(returns, level(inputs), **options).es)


def printed(quantity):
    """The same for every column in order, as a list."""
    return lambda inputs: {"values": [quantity(Column(inputs, column)) for column in inputs.frame()]}


class Column(dict):
    """A case that names one column of the file instead of all."""

    def __init__(self, inputs, column):
        super().__init__(inputs, columns=None)
        self.first_of = inputs.first_of
        self.each = lambda function: function(inputs.series(column))


GAUSSIAN = {"method": "normal", "ddof": 0}
MODIFIED = {"method": "cornish_fisher", "corrected": False, "out_of_domain": "allow", "ddof": 0}

historical_var = var_by(quantile="linear")
historical_es = es_by(quantile="linear", es="beyond")
gaussian_var, gaussian_es = var_by(**GAUSSIAN), es_by(**GAUSSIAN)
modified_var = var_by(**MODIFIED)
tail_mass_es = es_by(es="tail_mass")


def quantile_definition(inputs):
    method = inputs.first_of("numpy_method", "method", "definition")
    return {
        "quantile": [
            -var.historical(inputs.series(), c, quantile=method).var for c in np.atleast_1d(level(inputs)).tolist()
        ]
    }


# Worked examples list the worst scenarios of n; the others lost less than the least of those.


def listed_losses(inputs):
    """The losses that the case lists: numbers, or a mapping or pairs of scenario and loss."""
    names = ("losses", "worst_losses", "sorted_losses", "ranked_losses", "top_losses", "losses_sorted",
             "scenario_losses", "largest_losses", "losses_ranked", "losses_worst_first", "worst")  # fmt: skip
    given = inputs.first_of(*names, default=None)
    gains = inputs.first_of("gains", "profits", "pnl", "returns", default=None)
    if given is None and isinstance(gains, list):
        given = [-gain for gain in gains]
    if given is None:
        lists = [value for value in inputs.values() if isinstance(value, list)]
        if not lists:
            return -inputs.series().to_numpy(), None
        given = lists[0]
    pairs = given.items() if isinstance(given, dict) else given if np.ndim(given) == 2 else None
    if pairs is not None:
        scenarios, losses = zip(*((int(i), float(loss)) for i, loss in pairs), strict=True)
        return np.array(losses), list(scenarios)
    scenarios = inputs.first_of(
        "scenarios", "scenario", "scenario_numbers", "scenario_number", "i", "days", default=None
    )
    return np.array(given, dtype=float), scenarios


def listed_returns(inputs):
    """Returns of all n scenarios in order of time."""
    losses, scenarios = listed_losses(inputs)
    n = int(inputs.first_of("n", "n_obs", "n_scenarios", "observations", "N", default=len(losses)))
    returns = np.full(n, 1.0 - losses.min())
    returns[np.arange(len(losses)) if scenarios is None else np.array(scenarios) - 1] = -losses
    return returns, scenarios


def historical_var_order_stat(inputs):
    return var.historical(listed_returns(inputs)[0], level(inputs)).var


def historical_es_hull(inputs):
    returns, _ = listed_returns(inputs)
    risk = var.historical(returns, level(inputs), es="beyond_rank")
    tail_mass = var.historical(returns, level(inputs)).es
    beyond = (
        "es",
        "es_hull",
        "hull",
        "mean_beyond",
        "mean_beyond_var",
        "es_beyond",
        "es_beyond_var",
        "es_mean_beyond_var",
    )
    return {
        "var": risk.var,
        **dict.fromkeys(beyond, risk.es),
        **dict.fromkeys(("tail_mass", "es_tail_mass", "tail_mass_es"), tail_mass),
    }


def age_weighted_var_es(inputs):
    returns, scenarios = listed_returns(inputs)
    decay = inputs.first_of("lam", "lambda", "decay")
    risk = var.age_weighted(returns, level(inputs), decay=decay)
    weights = var.order_statistics.age_weights(len(returns), decay) * 1e5
    chosen = weights if scenarios is None else weights[np.array(scenarios) - 1]
    names = ("weights", "weights_1e5", "weights_e5", "weights_x1e5", "weights_x_1e5", "weights_times_1e5", "weight_1e5")
    return {"var": risk.var, "es": risk.es, **dict.fromkeys(names, chosen)}


def order_statistic_index(inputs):
    return var.order_statistics.var_rank(inputs.first_of("n", "n_obs", "observations"), level(inputs))


def es_with_ties(inputs):
    returns, confidence = returns_of(inputs), level(inputs)
    return {
        **dict.fromkeys(("var_lower_quantile", "var"), var.historical(returns, confidence).var),
        **dict.fromkeys(("es", "es_tail_mass"), var.historical(returns, confidence).es),
        "es_strict_greater_wrong": var.historical(returns, confidence, es="beyond").es,
        "es_ge_var_wrong": var.historical(returns, confidence, es="at_or_beyond").es,
    }


def es_two_definitions(inputs):
    returns, confidence = returns_of(inputs), level(inputs)
    return {
        "mean_at_or_below_type7": var.historical(returns, confidence, es="at_or_beyond", quantile="linear").es,
        **dict.fromkeys(("tail_mass", "es_tail_mass"), var.historical(returns, confidence).es),
    }


def modified_es(definition):
    return es_by(**MODIFIED, es=definition)


def baseline(inputs):
    found = {
        ("var", "gaussian"): gaussian_var(inputs),
        ("var", "modified"): modified_var(inputs),
        ("var", "historical"): historical_var(inputs),
        ("es", "gaussian"): gaussian_es(inputs),
        ("es", "historical"): historical_es(inputs),
    }
    answer = {"var": {}, "es": {}}
    for (measure, kind), number in found.items():
        answer[measure][kind] = number
        short = {"gaussian": ("gauss", "normal"), "modified": ("mod", "cornish_fisher"), "historical": ("hist",)}[kind]
        for name in (kind, *short):
            for form in (measure, measure.upper(), "VaR" if measure == "var" else "cvar"):
                answer[f"{form}_{name}"] = answer[f"{name}_{form}"] = number
    return answer


def cf_monotone(inputs):
    skewness = inputs.first_of("skew_param", "skew", "S")
    kurtosis = inputs.first_of("excess_kurtosis_param", "excess_kurtosis", "exkurt", "K")
    return parametric.cornish_fisher_in_domain(skewness, kurtosis)


def cf_var_out_of_domain(inputs):
    returns, confidence = inputs.series(), level(inputs)
    risk = var.value_at_risk(returns, confidence, **MODIFIED)
    skewness, kurtosis = risk.parameters["skewness"], risk.parameters["excess_kurtosis"]
    return {
        "skew": skewness,
        "exkurt": kurtosis,
        "cf_var": risk.var,
        "empirical_var": var.historical(returns, confidence, quantile="linear").var,
        "in_domain": parametric.cornish_fisher_in_domain(skewness, kurtosis),
    }


def student_t_mle_var_es(inputs):
    def fitted(returns):
        risk = var.student_t(returns, level(inputs))
        found = risk.parameters
        return {
            **dict.fromkeys(("loc", "location", "mu", "mean", "m"), found["location"]),
            **dict.fromkeys(("scale", "sigma", "s"), found["scale"]),
            **dict.fromkeys(("nu", "df"), found["df"]),
            "var": risk.var,
            "es": risk.es,
        }

    return inputs.each(fitted)


def gpd_var_es(inputs):
    def fitted(returns):
        threshold = inputs.first_of("threshold", "u", "threshold_loss", default=None)
        share = inputs.first_of("threshold_quantile", "threshold_probability", "quantile", default=None)
        if threshold is None and share is not None:
            threshold = var.historical(returns, share, quantile="linear").var
        count = inputs.first_of("k", "n_exceed", "nextremes", "n_excesses", "exceedances", default=0.1 * len(returns))
        fraction = inputs.first_of("tail_fraction", default=count / len(returns))
        chosen = {"tail_fraction": fraction} if threshold is None else {"threshold": threshold}
        risk = var.evt(returns, level(inputs), **chosen)
        found = risk.parameters
        return {
            **dict.fromkeys(("xi", "shape"), found["shape"]),
            **dict.fromkeys(("beta", "scale"), found["scale"]),
            **dict.fromkeys(("u", "threshold"), found["threshold"]),
            **dict.fromkeys(("k", "n_exceed", "n_excesses", "exceedances", "n_exceedances"), found["n_excesses"]),
            "var": risk.var,
            "es": risk.es,
        }

    if "losses" in inputs:
        return fitted(returns_of(inputs))
    return inputs.each(fitted)


def portfolio_historical_var_cvar(inputs):
    portfolio = linear(inputs.weights(), inputs.frame().dropna())
    risk = var.historical(portfolio, level(inputs))
    return {"sd": sample_volatility(portfolio), "var": risk.var, "cvar": risk.es, "es": risk.es}


# Closed forms


def annual(function):
    """VaR or ES of a value over a day, from an annual volatility."""

    def quantity(inputs):
        distribution = {"df": inputs["nu"]} if "nu" in inputs else {}
        risk = function(
            inputs.first_of("annual_vol", "vol", "annual_volatility"),
            confidence=level(inputs),
            horizon=1.0 / inputs.get("days", 1),
            value=inputs.get("value", 1.0),
            **distribution,
        )
        return {"var": risk, "es": risk}

    return quantity


def normal_var_es(inputs):
    return {
        name: function(1.0, level(inputs))
        for name, function in (("var", parametric.normal_var), ("es", parametric.normal_es))
    }


def t_var_es(inputs):
    nu, confidence = inputs["nu"], level(inputs)
    return {
        "var": parametric.student_t_var(1.0, confidence, df=nu, scaled=False),
        "es": parametric.student_t_es(1.0, confidence, df=nu, scaled=False),
    }


def gaussian_var_es_2sigma(inputs):
    distribution = {"volatility": inputs["sd"], "mean": inputs["mean"]}
    below = parametric.normal_shortfall(**distribution)
    return {
        "var": parametric.normal_var(confidence=level(inputs), **distribution),
        "es": parametric.normal_es(confidence=level(inputs), **distribution),
        "average_shortfall_below_mean": below.average_shortfall,
        "regret": below.regret,
        "prob_below_mean": below.probability,
    }


def delta_normal_var(inputs):
    given = {"z": inputs["z"], "confidence": ndtr(inputs["z"])} if "z" in inputs else {"confidence": level(inputs)}
    volatility = inputs.first_of("daily_vol", "vol", "volatility", "sigma")
    days = inputs.get("days", 1)
    one, many = (parametric.normal_var(volatility, horizon=h, value=inputs["value"], **given) for h in (1, days))
    return {
        **dict.fromkeys(("var1", "var_1d", "var_1day", "daily"), one),
        **dict.fromkeys(("var", f"var{days}", f"var_{days}d", "var_days"), many),
    }


def quantile_standard_error(inputs):
    return var.order_statistics.quantile_standard_error(
        inputs.first_of("n", "n_obs", "observations"),
        level(inputs),
        volatility=inputs.first_of("sd_of_normal", "sd", "volatility"),
    )


def sample_expectile(returns, tau):
    """Above a half that of the losses at the other level: the library measures the tail of losses."""
    returns = np.asarray(returns, dtype=float)
    return var.expectile_var(returns, tau) if tau <= 0.5 else -var.expectile_var(-returns, 1.0 - tau)


def of_levels(name, function):
    """`function` of each tau of the case, with the sign of a return."""
    return lambda inputs: {name: [-function(inputs, tau) for tau in np.atleast_1d(inputs["tau"])]}


def expectile_of_sample(inputs, tau):
    returns = inputs["returns"]
    if isinstance(returns, str):
        assert returns == "normal quantiles at (i-0.5)/400000, i = 1..400000"
        returns = ndtri((np.arange(400_000) + 0.5) / 400_000)
    return sample_expectile(returns, tau)


def spectral_of_sample(inputs):
    spectrum = var.exponential_spectrum(inputs["k"])
    returns = inputs["returns"]
    weights = np.diff(spectrum(np.linspace(0.0, 1.0, len(returns) + 1)))
    return {"weights": weights, "measure": var.distortion_risk(returns, spectrum)}


def all_paths(inputs):
    """The exact distribution: every path of residuals, each equally likely."""
    residuals, model = inputs["standardised_residuals"], dict(inputs["model"])
    picks = np.indices([len(residuals)] * inputs["horizon"]).reshape(inputs["horizon"], -1).T
    model["mean"] = model.pop("mu")
    sums = var.path_returns(residuals, picks, inputs["next_variance"], **model)
    risk = var.historical(sums, level(inputs))
    return {
        **{"paths": len(sums), "mean": sums.mean(), "sd": sums.std(), "worst": -sums.min()},
        **{"var_type1": risk.var, "es_tail_mass": risk.es},
    }


def all_joint_paths(inputs):
    """Two or more assets whose residuals of a day are drawn together; the weighted sum of their summed returns."""
    residuals = np.asarray(inputs["standardised_residuals"], dtype=float)
    models = inputs.first_of("models", "model")
    models = list(models.values()) if isinstance(models, dict) and "omega" not in models else models
    variances = np.atleast_1d(inputs.first_of("next_variances", "next_variance"))
    weights = np.asarray(inputs.get("weights", np.ones(len(variances))), dtype=float)
    if residuals.shape[0] != len(weights):
        residuals = residuals.T
    picks = np.indices([residuals.shape[1]] * inputs["horizon"]).reshape(inputs["horizon"], -1).T
    sums = np.zeros(len(picks))
    for j, weight in enumerate(weights):
        own = dict(models if isinstance(models, dict) else models[j])
        own["mean"] = own.pop("mu", 0.0)
        sums += weight * var.path_returns(residuals[j], picks, variances[j], **own)
    risk = var.historical(sums, level(inputs))
    return {
        **{"paths": len(sums), "mean": sums.mean(), "sd": sums.std(), "worst": -sums.min()},
        **{"var_type1": risk.var, "es_tail_mass": risk.es},
    }


def distortion_of_sample(distortion):
    def quantity(inputs):
        returns = -inputs.series() if "losses" in inputs else inputs.series()
        chosen = distortion(inputs)
        weights = np.diff(chosen(np.linspace(0.0, 1.0, len(returns) + 1)))
        risk = var.distortion_risk(returns, chosen)
        return {"weights": weights, **dict.fromkeys(("measure", "minvar", "risk", "wang"), risk)}

    return quantity


def delta_gamma(inputs):
    """Of delta dS + gamma dS^2/2 for one normal dS; the exact quantile by the roots of the parabola."""
    delta, gamma = float(inputs["delta"]), float(inputs["gamma"])
    sd = inputs.first_of("sd", "sigma", "sd_ds", "sd_dS", "volatility", default=None)
    if sd is None:
        sd = inputs["spot"] * inputs["vol"] * np.sqrt(inputs.get("horizon_years", inputs.get("days", 1) / 252.0))
    mean, spread, skew, kurtosis = DeltaGamma([delta], [[gamma]]).moments([[float(sd) ** 2]])
    moments = {"volatility": spread, "mean": mean}
    normal = parametric.normal_var(**moments, confidence=level(inputs))
    shape = {"skewness": skew, "excess_kurtosis": kurtosis, "corrected": False, "out_of_domain": "allow"}
    adjusted = parametric.cornish_fisher_var(**moments, **shape, confidence=level(inputs))

    def mass(loss):
        """Probability of a P&L of at most -loss."""
        root = delta**2 - 2.0 * gamma * loss
        if gamma == 0.0:
            return ndtr(-loss / (abs(delta) * sd))
        if root <= 0.0:
            return 0.0 if gamma > 0.0 else 1.0
        low, high = sorted((-delta + sign * np.sqrt(root)) / gamma / sd for sign in (-1.0, 1.0))
        inside = ndtr(high) - ndtr(low)
        return inside if gamma > 0.0 else 1.0 - inside

    exact = brentq(lambda loss: mass(loss) - (1.0 - level(inputs)), -mean - 50.0 * spread, 50.0 * spread - mean)
    return {
        **{"mean": mean, "sd": spread, "variance": spread**2, "skewness": skew, "skew": skew},
        **{"excess_kurtosis": kurtosis, "kurtosis": kurtosis + 3.0, "var_normal": normal, "normal_var": normal},
        **dict.fromkeys(("var_cornish_fisher", "var_cf", "cornish_fisher_var"), adjusted),
        **dict.fromkeys(("var_exact", "exact_var", "var"), exact),
    }


QUANTITIES = {
    "fhs_multi_day_joint_exact": all_joint_paths,
    "fhs_joint_exact": all_joint_paths,
    "minvar_sample": distortion_of_sample(
        lambda inputs: var.minvar(float(inputs.first_of("x", "stress", "lambda", "n_draws", "k")))
    ),
    "wang_transform_sample": distortion_of_sample(lambda inputs: var.wang_transform(inputs["lambda"])),
    "delta_gamma_moments_var": delta_gamma,
    "fhs_multi_day_exact": all_paths,
    "expectile_normal": of_levels(
        "expectile",
        lambda inputs, tau: math.copysign(var.normal_expectile_var(1.0, min(tau, 1.0 - tau)), 0.5 - tau),
    ),
    "expectile_uniform": of_levels(
        "expectile", lambda inputs, tau: sample_expectile((np.arange(400_000) + 0.5) / 400_000 - 1.0, tau) - 1.0
    ),
    "expectile_sample": of_levels("expectile", expectile_of_sample),
    "expectile_level_of_normal_quantile": lambda inputs: var.normal_expectile_level(inputs.confidence),
    "spectral_exponential_normal": lambda inputs: var.normal_distortion_risk(
        inputs["sd"], var.exponential_spectrum(inputs["k"]), mean=inputs["mean"]
    ),
    "spectral_exponential_sample": spectral_of_sample,
    "wang_transform_normal": lambda inputs: var.normal_distortion_risk(
        inputs["sd"], var.wang_transform(inputs["lambda"]), mean=-inputs["mean_loss"]
    ),
    "quantile_definition": quantile_definition,
    "historical_var": historical_var,
    "historical_var_type7": historical_var,
    "historical_var_type1": var_by(quantile="inverted_cdf"),
    "var_lower_quantile": var_by(quantile="inverted_cdf"),
    "historical_var_printed": printed(historical_var),
    "gaussian_var_printed": printed(gaussian_var),
    "modified_var_printed": printed(modified_var),
    "historical_es_printed": printed(historical_es),
    "gaussian_es_printed": printed(gaussian_es),
    "historical_var_order_stat": historical_var_order_stat,
    "order_statistic_index": order_statistic_index,
    "es_tail_mass": tail_mass_es,
    "historical_cvar_fextremes": tail_mass_es,
    "es_with_ties": es_with_ties,
    "es_two_definitions": es_two_definitions,
    "historical_es": historical_es,
    "historical_es_mean_below_type7": historical_es,
    "es_conditional_on_exceeding": es_by(quantile="inverted_cdf", es="beyond"),
    "historical_es_hull": historical_es_hull,
    "age_weighted_var_es": age_weighted_var_es,
    "gaussian_var": gaussian_var,
    "gaussian_var_population_sd": gaussian_var,
    "gaussian_es": gaussian_es,
    "gaussian_es_population_sd": gaussian_es,
    "modified_var": modified_var,
    "cornish_fisher_var": modified_var,
    "modified_es_boudt": modified_es("boudt"),
    "modified_es_operational": modified_es("operational"),
    "baseline": baseline,
    "cf_monotone": cf_monotone,
    "cf_max_skew": lambda inputs: parametric.CORNISH_FISHER_MAX_SKEWNESS,
    "cf_var_out_of_domain": cf_var_out_of_domain,
    "entropic_var": lambda inputs: inputs.each(lambda returns: var.evar(returns, level(inputs))),
    "student_t_mle_var_es": student_t_mle_var_es,
    "gpd_var_es": gpd_var_es,
    "portfolio_historical_var_cvar": portfolio_historical_var_cvar,
    "z_values": lambda inputs: parametric.normal_var(1.0, level(inputs)),
    "normal_var_es": normal_var_es,
    "var_normal": annual(parametric.normal_var),
    "es_normal": annual(parametric.normal_es),
    "var_student_t": annual(parametric.student_t_var),
    "es_student_t": annual(parametric.student_t_es),
    "t_var_es": t_var_es,
    "es_student_t_standard": lambda inputs: parametric.student_t_es(1.0, level(inputs), df=inputs["nu"], scaled=False),
    "gaussian_var_es_2sigma": gaussian_var_es_2sigma,
    "delta_normal_var": delta_normal_var,
    "quantile_standard_error": quantile_standard_error,
}
