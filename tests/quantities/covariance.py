"""Reference quantities of riskkit.covariance."""

import math

import numpy as np

from riskkit import covariance
from riskkit.var.parametric import skewed_t


def equal_weight_vol_zero_mean(inputs):
    return inputs.each(lambda returns: covariance.sample_volatility(returns, mean="zero", ddof=0))


def ewma_vol_truncated_unnormalised(inputs):
    returns, decay = inputs.series(), inputs["lam"]
    truncated = covariance.ewma_volatility(returns, decay, weighting="truncated")
    renormalised = covariance.ewma_volatility(returns, decay, weighting="renormalized")
    return {
        "vol": truncated,
        "vol_pct": truncated,
        "renormalised_vol": renormalised,
        "renormalised_vol_pct": renormalised,
    }


def ewma_recursive_init_first_square(inputs):
    returns, decay = inputs.series(), inputs["lam"]
    volatility = covariance.ewma_volatility(returns, decay, start="first_square")
    variances = covariance.ewma_variance(returns, decay, start="first_square").head(4).tolist()
    return {"variances": variances, "vol": volatility, "vol_pct": volatility}


def ewma_update(inputs):
    return covariance.ewma_volatility([inputs["r"]], inputs["lam"], start=inputs["sigma_prev"] ** 2)


def ewma_cov_update(inputs):
    """Two assets: yesterday's volatilities and correlation (or covariance), today's returns."""
    vol_x, vol_y = pair(
        inputs, ["sigma", "s", "vol", "sigma_prev", "sigmas", "vols"], squared=["var", "variance", "variances"]
    )
    rho = inputs.first_of("rho", "rho_prev", "corr", "corr_prev", "correlation", default=None)
    cov = inputs.first_of("cov", "cov_prev", "covariance") if rho is None else rho * vol_x * vol_y
    row = pair(inputs, ["r", "returns", "return", ""])
    state = covariance.EwmaCovariance([[vol_x**2, cov], [cov, vol_y**2]], inputs["lam"]).update(row)
    (var_x, new_cov), (_, var_y) = state.covariance.tolist()
    correlation = covariance.correlation_from_covariance(state.covariance)[0, 1]
    return {
        **dict.fromkeys(("cov", "covariance"), new_cov),
        **dict.fromkeys(("var_x", "variance_x", "var_1", "var1"), var_x),
        **dict.fromkeys(("var_y", "variance_y", "var_2", "var2"), var_y),
        **dict.fromkeys(("sigma_x", "vol_x", "sigma_1", "sigma1"), math.sqrt(var_x)),
        **dict.fromkeys(("sigma_y", "vol_y", "sigma_2", "sigma2"), math.sqrt(var_y)),
        **dict.fromkeys(("rho", "corr", "correlation"), correlation),
        **dict.fromkeys(("variances", "vars"), [var_x, var_y]),
    }


def pair(inputs, names, squared=()):
    """Two numbers by one of these names: as a list, or with the endings the books use (x and y, 1 and 2, u and v)."""
    for name in [*names, *squared]:
        root = math.sqrt if name in squared else float
        if isinstance(inputs.get(name), list):
            return [root(value) for value in inputs[name]]
        for one, two in (("x", "y"), ("1", "2"), ("u", "v"), ("a", "b")):
            for form in ("{name}_{end}", "{name}{end}", "{name}_{end}_prev", "{name}{end}_prev"):
                keys = [form.format(name=name, end=end).strip("_") for end in (one, two)]
                if all(key in inputs for key in keys):
                    return [root(inputs[key]) for key in keys]
    raise KeyError(f"the case gives no pair of {[*names, *squared]}; it has {list(inputs)}")


def ewma_initial_backcast(inputs):
    decay, days = inputs["lam"], inputs.get("tau", 75)
    return inputs.each(lambda returns: covariance.ewma_initial(returns, decay, "backcast", backcast_periods=days))


def ewma_variance_forecast(inputs):
    return inputs.each(lambda returns: covariance.ewma_variance(returns, inputs["lam"]).iloc[-1])


def riskmetrics2006_forecast(inputs):
    options = {name: inputs[name] for name in ("tau0", "tau1", "kmax", "rho") if name in inputs}
    return inputs.each(lambda returns: covariance.riskmetrics2006(returns, **options))


def effective_days(inputs):
    tolerances = inputs.first_of("tolerances", "tolerance")
    if isinstance(tolerances, list):
        return [covariance.effective_observations(inputs["lam"], tolerance) for tolerance in tolerances]
    return covariance.effective_observations(inputs["lam"], tolerances)


def garch11_update(inputs):
    omega, alpha, beta = inputs["omega"], inputs["alpha"], inputs["beta"]
    volatility = inputs.first_of("sigma_prev", "sigma", "vol_prev", "vol")
    variance = covariance.garch_update(volatility, inputs.first_of("r", "return"), omega=omega, alpha=alpha, beta=beta)
    return {
        **dict.fromkeys(("variance", "var", "sigma2"), variance),
        **dict.fromkeys(("sigma", "vol", "volatility"), math.sqrt(variance)),
        "long_run_vol": covariance.garch_long_run_volatility(omega, alpha, beta) if alpha + beta < 1.0 else None,
    }


def garch11_t_mle(inputs):
    """Parameters in the units of scale × r, as they were published."""
    scale = float(inputs.get("scale", 1.0))
    returns = inputs.series()
    fit = covariance.fit_garch(returns, distribution="t")
    log_likelihood = fit.log_likelihood - len(returns) * math.log(scale)
    return {
        **dict.fromkeys(("mu", "mean"), fit.mean * scale),
        "omega": fit.omega * scale**2,
        **dict.fromkeys(("alpha", "alpha1", "alpha[1]"), fit.alpha),
        **dict.fromkeys(("beta", "beta1", "beta[1]"), fit.beta),
        **dict.fromkeys(("nu", "shape"), fit.df),
        **dict.fromkeys(("loglik", "loglikelihood", "log_likelihood"), log_likelihood),
    }


def nearest_correlation(inputs):
    return covariance.nearest_correlation(inputs.first_of("A", "matrix")).matrix


def gaps(policy):
    def quantity(inputs):
        result = covariance.incomplete_covariance(with_gaps(inputs), policy)
        return {
            "covariance": result.covariance,
            "mean": np.asarray(result.mean),
            "pairs": result.pairs,
            "min_eigenvalue": result.min_eigenvalue,
            "loglik": result.log_likelihood,
        }

    return quantity


def with_gaps(inputs):
    """The `returns` of a case as an array with NaN, or the frame of its file."""
    return np.array(inputs["returns"], dtype=float) if "returns" in inputs else inputs.frame()


def completed(inputs):
    proxies = {int(asset): others for asset, others in inputs.get("proxies", {}).items()}
    return {
        "returns": covariance.complete_returns(with_gaps(inputs), inputs["policy"], proxies=proxies or None).returns
    }


def ewma_variance_missing(inputs):
    returns = [math.nan if value is None else value for value in inputs["returns"]]
    policies = ("absolute_time", "observed_time", "zero_fill")
    return {policy: covariance.incomplete_ewma_variance(returns, inputs["lam"], policy) for policy in policies}


def statistical_factors(inputs):
    model = covariance.factor_covariance(inputs.frame(), inputs["factors"])
    return told(model)


def given_factor(inputs):
    data, names = inputs.frame(), inputs["names"]
    model = covariance.factor_covariance(data[names], data[inputs["factor"]])
    return {"beta": np.asarray(model.loadings)[:, 0], **told(model)}


def told(model):
    return {
        "explained_share": model.explained,
        "covariance": model.covariance,
        "specific_variance": np.asarray(model.specific_variance),
    }


def shrunk_to_identity(inputs):
    result = covariance.shrunk_covariance(inputs.frame())
    return {"shrinkage": result.shrinkage, "covariance": result.covariance}


def asymmetric(model, distribution):
    """A fit; with the VaR and ES of the next period at the levels of the case."""

    def quantity(inputs):
        fit = covariance.fit_asymmetric_garch(
            inputs.series(), model, distribution=distribution, horizon=10 if model == "gjr" else 1
        )
        found = {
            **fit.parameters,
            **{"mu": fit.parameters["mean"], "loglik": fit.log_likelihood, "variance_next": fit.variances[0]},
            **{"variance_sum_10": fit.variances.sum()},
        }
        if distribution == "t":
            found["nu"] = found["df"]
        if distribution == "skewed_t":
            df, skew = fit.parameters["df"], fit.parameters["skew"]
            found |= {"eta": df, "lambda": skew, "shape": df, "xi": math.sqrt((1.0 + skew) / (1.0 - skew))}
            risks = [skewed_t(level, df=df, skew=skew) for level in inputs.get("levels", [])]
            found["var_next"] = [fit.next_volatility * risk.var - fit.parameters["mean"] for risk in risks]
            found["es_next"] = [fit.next_volatility * risk.es - fit.parameters["mean"] for risk in risks]
        return found

    return quantity


def skewed_t_risk(inputs):
    skew = inputs.get("lambda")
    if skew is None:
        skew = (inputs["xi"] ** 2 - 1.0) / (inputs["xi"] ** 2 + 1.0)
    df = inputs.first_of("eta", "nu")
    quantiles = []
    for p in inputs["p"]:  # above a half, of the law with the other skew: a confidence is at least a half
        mirrored = p > 0.5
        risk = skewed_t(p if mirrored else 1.0 - p, df=df, skew=-skew if mirrored else skew)
        quantiles.append(risk.var if mirrored else -risk.var)
    return {
        "quantile": quantiles,
        "es": [skewed_t(1.0 - p, df=df, skew=skew).es for p in inputs.get("es_p", inputs["p"]) if p <= 0.5],
        "xi_fernandez_steel": math.sqrt((1.0 + skew) / (1.0 - skew)),
        "lambda_hansen": skew,
    }


def shrunk_to_one_correlation(inputs):
    result = covariance.shrunk_covariance(inputs.frame(), "constant_correlation")
    return {"shrinkage": result.shrinkage, "covariance": result.covariance}


def ewma_zero_mean(inputs):
    frame, decay = inputs.frame(), inputs["lam"]
    return {"covariance": covariance.ewma_covariance(frame, decay, start="zero") / (1.0 - decay ** len(frame))}


def parameters_of(inputs, *names):
    return {name: inputs[name] for name in names or ("omega", "alpha", "gamma", "beta")}


def gjr_update(inputs):
    parameters = parameters_of(inputs)
    path = covariance.gjr_path(inputs["residuals"], inputs["variance_first"], **parameters)
    persistence = inputs["alpha"] + 0.5 * inputs["gamma"] + inputs["beta"]
    return {
        **{"variance": path, "persistence": persistence, "long_run_variance": inputs["omega"] / (1.0 - persistence)},
        "forecast": covariance.gjr_forecast(path[-1], inputs["horizon"], **parameters),
    }


def gjr_log_likelihood(inputs):
    returns, given = inputs.series(), inputs["params"]
    parameters = {name: given[name] for name in ("omega", "alpha", "gamma", "beta")}
    backcast = covariance.ewma_initial(returns - returns.mean())
    first = covariance.gjr_forecast(backcast, 2, **parameters)[1]
    shocks = (returns - given["mu"]).to_numpy()
    variances = np.append(first, covariance.gjr_path(shocks, first, **parameters)[:-1])
    return {"loglik": -0.5 * float(np.sum(np.log(2.0 * np.pi * variances) + shocks**2 / variances))}


def har(logs):
    def quantity(inputs):
        fit = covariance.fit_har(inputs.series(), inputs["lags"], logs=logs, hac_lags=inputs.get("hac_lags", 5))
        names = ("beta_d", "beta_w", "beta_m")
        return {
            **dict(zip(names, fit.coefficients, strict=True)),
            **{"const": fit.intercept, "r2": fit.r_squared, "se_hac": fit.standard_errors, "n": fit.n_obs},
            "forecast_next": math.log(fit.next_variance) - 0.5 * fit.residual_variance if logs else fit.next_variance,
        }

    return quantity


def realised(inputs):
    found, n = covariance.realised_measures(inputs["intraday_returns"]), len(inputs["intraday_returns"])
    return {
        **{"rv": found.variance, "bipower": found.bipower, "bipower_adjusted": found.bipower * n / (n - 1.0)},
        **{"jump": found.jump, "realised_quarticity": found.quarticity},
        "tripower_quarticity": found.tripower_quarticity,
    }


def dcc_recursion(inputs):
    off = inputs["qbar_offdiagonal"]
    path = covariance.dcc_path(inputs["z"], inputs["a"], inputs["b"], [[1.0, off], [off, 1.0]])
    return {"correlation_next": path[:, 0, 1]}


def dcc_fit(inputs):
    fit = covariance.fit_dcc(inputs.frame())
    margins = sum(
        covariance.fit_garch(column, distribution="normal").log_likelihood for _, column in inputs.frame().items()
    )
    return {
        **{"a": fit.a, "b": fit.b, "loglik": fit.log_likelihood, "correlation_loglik": fit.log_likelihood - margins},
        **{"correlation_next": fit.correlation, "covariance_next": fit.covariance},
    }


def hamilton(inputs):
    stay, leave = inputs["p11"], 1.0 - inputs["p22"]
    found = covariance.regime_filter(
        inputs["returns"], [[stay, 1.0 - stay], [leave, 1.0 - leave]], inputs["variances"], mean=inputs["mean"]
    )
    return {
        **{"filtered_p2": found.filtered[:, 1], "loglik": found.log_likelihood},
        "predicted_p2_next": found.predicted[1],
    }


def asynchronous(inputs):
    table = (
        inputs.frame() if "file" in inputs else np.column_stack([inputs.first_of("a", "A"), inputs.first_of("b", "B")])
    )
    a, b = np.asarray(table, dtype=float)[:, :2].T
    same, lag, lead = (float(np.mean(x * y)) for x, y in ((a, b), (a[1:], b[:-1]), (a[:-1], b[1:])))
    total = np.asarray(covariance.asynchronous_covariance(table))[0, 1]
    return {
        **{"same_day": same, "lag_ab": lag, "lead_ab": lead},
        **dict.fromkeys(("covariance", "asynchronous", "adjusted", "total", "corrected"), float(total)),
    }


def ranges(inputs):
    bars = [inputs.first_of(name, name[0], name[0].upper()) for name in ("open", "high", "low", "close")]
    found = {}
    for name in ("parkinson", "garman_klass", "rogers_satchell", "yang_zhang"):
        volatility = covariance.range_volatility(*bars, name)
        found |= {name: volatility, f"{name}_variance": volatility**2, f"{name}_vol": volatility}
        found |= {f"{name}_annualised": volatility * math.sqrt(inputs.get("periods_per_year", 252))}
    return found


def shrunk_oas(inputs):
    result = covariance.shrunk_covariance(inputs.frame(), "oas")
    return {"shrinkage": result.shrinkage, "covariance": result.covariance}


QUANTITIES = {
    "complete_returns": completed,
    "asynchronous_covariance": asynchronous,
    "range_volatility": ranges,
    "oas": shrunk_oas,
    "ledoit_wolf_constant_correlation": shrunk_to_one_correlation,
    "ewma_covariance_zero_mean": ewma_zero_mean,
    "gjr_update_and_forecast": gjr_update,
    "gjr_normal_loglik": gjr_log_likelihood,
    "egarch_update": lambda inputs: covariance.egarch_path(
        inputs["z"], inputs["variance_first"], **parameters_of(inputs)
    ),
    "figarch_weights": lambda inputs: covariance.figarch_weights(
        inputs["n"], **parameters_of(inputs, "d", "phi", "beta")
    ),
    "har_rv_ols": har(logs=False),
    "har_log_rv_ols": har(logs=True),
    "realised_measures": realised,
    "dcc_recursion": dcc_recursion,
    "dcc_normal_two_step": dcc_fit,
    "hamilton_filter": hamilton,
    "gjr_normal_mle": asymmetric("gjr", "normal"),
    "gjr_skewt_mle": asymmetric("gjr", "skewed_t"),
    "gjr_skewt_loglik_max": asymmetric("gjr", "skewed_t"),
    "egarch_t_mle": asymmetric("egarch", "t"),
    "hansen_skewt_quantile_es": skewed_t_risk,
    "fernandez_steel_skewt_quantile_es": skewed_t_risk,
    "statistical_factor_covariance": statistical_factors,
    "given_factor_covariance": given_factor,
    "ledoit_wolf_identity": shrunk_to_identity,
    "equal_weight_vol_zero_mean": equal_weight_vol_zero_mean,
    "ewma_vol_truncated_unnormalised": ewma_vol_truncated_unnormalised,
    "ewma_recursive_init_first_square": ewma_recursive_init_first_square,
    "ewma_update": ewma_update,
    "ewma_cov_update": ewma_cov_update,
    "ewma_initial_backcast": ewma_initial_backcast,
    "ewma_variance_forecast": ewma_variance_forecast,
    "riskmetrics2006_forecast": riskmetrics2006_forecast,
    "effective_days": effective_days,
    "garch11_update": garch11_update,
    "garch11_t_mle": garch11_t_mle,
    "nearest_correlation": nearest_correlation,
    "covariance_pairwise": gaps("pairwise"),
    "covariance_listwise": gaps("listwise"),
    "covariance_em": gaps("maximum_likelihood"),
    "covariance_monotone_ml": gaps("maximum_likelihood"),
    "ewma_variance_missing": ewma_variance_missing,
}
