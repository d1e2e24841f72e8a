"""Quantities of the sections "Coverage of VaR" and "ES backtests and scores"."""

import re

import numpy as np

from riskkit.var_backtest import (
    acerbi_szekely_critical,
    acerbi_szekely_p_value,
    acerbi_szekely_z1,
    acerbi_szekely_z2,
    asymmetric_laplace_loss,
    basel_tables,
    binomial_tail,
    binomial_z,
    christoffersen_conditional,
    christoffersen_independence,
    christoffersen_p_value,
    christoffersen_pelletier,
    christoffersen_size,
    diebold_mariano,
    du_escanciano_conditional,
    du_escanciano_unconditional,
    dynamic_quantile,
    expectile_loss,
    frtb_multiplier,
    fz0_loss,
    haas_tbf,
    haas_tbfi,
    hit_transitions,
    kupiec_pof,
    kupiec_tuff,
    mcneil_frey_bootstrap,
    mcneil_frey_z,
    nolde_ziegel_general,
    nolde_ziegel_one_sided,
    nolde_ziegel_simple,
    pof_nonrejection_region,
    pof_size,
    qlike_loss,
    quantile_loss,
    score_test,
    traffic_light,
    traffic_light_bounds,
    tuff_nonrejection_region,
    var_hits,
)

DRAWS = 200_000


def confidence(inputs, name="p"):
    """The confidence of the case, from a tail mass of that name or its own."""
    return 1.0 - float(inputs[name]) if name in inputs else inputs.confidence


def forecasts(inputs, *roles):
    """Columns of the backtest file with VaR, ES turned into positive losses."""
    frame = inputs.backtest_columns()
    return [-frame[role] if role.endswith("quantile") else frame[role] for role in roles]


def var_and_es(inputs):
    return forecasts(inputs, "returns", "var_as_quantile", "es_as_quantile")


def hits_of(inputs):
    """Hits as booleans, from positions, a list, or the file."""
    for key, first in (("hit_positions_0based", 0), ("hit_positions", 0), ("hit_positions_1based", 1)):
        if key in inputs:
            hits = np.zeros(int(inputs["observations"]), dtype=bool)
            hits[np.asarray(inputs[key], dtype=int) - first] = True
            return hits
    for key in ("durations", "times_between_hits", "times"):
        if key in inputs:
            days = np.cumsum(inputs[key])
            hits = np.zeros(int(inputs.get("observations", days[-1] if days.size else 1)), dtype=bool)
            hits[days - 1] = True
            return hits
    for key in ("hits", "exceptions", "hit_sequence", "violations"):
        if isinstance(inputs.get(key), list):
            return np.asarray(inputs[key], dtype=bool)
    return np.asarray(var_hits(*forecasts(inputs, "returns", "var_as_quantile")))


def counts(inputs):
    """(hits, observations) given, or counted."""
    for key in ("exceptions", "hits", "n_hits", "x"):
        if isinstance(inputs.get(key), int):
            return inputs[key], int(inputs["observations"])
    hits = hits_of(inputs)
    return int(hits.sum()), hits.size


def per_item(inputs, key, function):
    """`function` of one input, or of each if a list is given."""
    given = inputs[key]
    return [function(item) for item in given] if isinstance(given, list) else function(given)


def traffic(inputs):
    light = traffic_light(*counts(inputs), inputs.confidence)
    return {
        **dict.fromkeys(("cumulative_probability_pct", "cumulative_pct"), 100.0 * light.cumulative_probability),
        **dict.fromkeys(("cumulative_probability", "cumulative"), light.cumulative_probability),
        "zone": light.zone,
        "plus_factor": light.plus_factor,
        "multiplier": light.basel_multiplier,
    }


def traffic_probability(inputs):
    light = traffic_light(*counts(inputs), inputs.confidence)
    return {
        **dict.fromkeys(("probability", "cumulative_probability", "cumulative"), light.cumulative_probability),
        "type1": light.type1,
        "increase": light.plus_factor,
        "zone": light.zone,
    }


def starts(inputs):
    yellow, red = traffic_light_bounds(int(inputs["observations"]), inputs.confidence)
    return {"yellow_starts": yellow, "red_starts": red}


def basel(inputs):
    table = 100.0 * basel_tables(inputs["k"], int(inputs["observations"]), float(inputs["true_coverage"]))
    return {f"{column}_pct": table[column].tolist() for column in table}


def tested(outcome):
    """The statistic under each of its usual names, and what rests on it."""
    return {
        **dict.fromkeys(("lr", "stat", "statistic", "z"), outcome.statistic),
        "p_value": outcome.p_value,
        "reject": outcome.p_value is not None and outcome.p_value < 0.05,
        "df": outcome.details.get("df", outcome.df),
    }


def pof_reject(inputs):
    level = 1.0 - float(inputs.get("test_confidence", 0.95))
    outcomes = per_item(inputs, "p", lambda p: kupiec_pof(*counts(inputs), 1.0 - p))
    many = isinstance(outcomes, list)
    lr = [outcome.statistic for outcome in outcomes] if many else outcomes.statistic
    reject = [outcome.p_value < level for outcome in outcomes] if many else outcomes.p_value < level
    return {"lr": lr, "reject": reject}


def region(found):
    return found._asdict()


def tuff(inputs):
    if "first_failure" in inputs:
        return tested(kupiec_tuff(inputs["first_failure"], confidence(inputs)))
    hits = hits_of(inputs)
    first = int(np.argmax(hits)) + 1 if hits.any() else None
    return tested(kupiec_tuff(first, confidence(inputs), n_obs=hits.size))


def tuff_without_failure(inputs):
    level = float(inputs.get("test_level", inputs.get("test_confidence", 0.95)))
    outcome = kupiec_tuff(None, confidence(inputs), n_obs=int(inputs["observations"]), significance=1.0 - level)
    return {"lr": outcome.statistic, "decision": "accept (undefined)" if outcome.p_value is None else "reject"}


def transitions(inputs):
    """The four counts n00, n01, n10, n11, each by name or as a mapping or a matrix [[n00, n01], [n10, n11]]; or None."""
    given = inputs.first_of("transitions", "transition_counts", "counts", default=inputs)
    if isinstance(given, list):
        return tuple(np.ravel(given).tolist())
    names = ("n00", "n01", "n10", "n11")
    return tuple(given[name] for name in names) if "n00" in given else None


def independence(inputs):
    return tested(christoffersen_independence(transitions(inputs) or hits_of(inputs)))


def three_ratios(inputs):
    outcome = christoffersen_conditional(hits_of(inputs), confidence(inputs))
    return {**outcome.details, "lr_cc": outcome.statistic, "p_cc": outcome.p_value}


def cc_exact(inputs):
    for key in ("lr", "lr_cc"):
        if key in inputs:
            return christoffersen_p_value(inputs[key], int(inputs["observations"]), confidence(inputs))
    return christoffersen_conditional(hits_of(inputs), confidence(inputs)).exact_p_value


def weibull(inputs):
    outcome = christoffersen_pelletier(hits_of(inputs), n_draws=0)
    undefined = dict.fromkeys(("weibull_b", "ll_unrestricted", "ll_restricted"))
    return {**undefined, **outcome.details, **tested(outcome)}


def regressors(text):
    """Names of riskkit's regressors in a text such as "const, Hit_{t-1..t-4}, VaR_t"."""
    patterns = {
        "constant": r"const|intercept",
        "hits": r"hit",
        "squared_returns": r"r_?\{?t-1\}?\^?2|r\^2|squared",
        "lagged_var": r"VaR_?\{?\(?t-1",
        "var": r"VaR_?\{?\(?t(?!-)",
    }
    return [name for name, pattern in patterns.items() if re.search(pattern, text, re.I)]


def dq(inputs):
    named = regressors(inputs["regressors"]) if "regressors" in inputs else ("constant", "hits", "var")
    outcome = dynamic_quantile(
        *forecasts(inputs, "returns", "var_as_quantile"),
        confidence(inputs),
        lags=int(inputs.get("lags", 4)),
        regressors=named,
        n_draws=0,
    )
    return tested(outcome)


def z2_critical(inputs):
    return acerbi_szekely_critical(
        int(inputs["observations"]),
        confidence(inputs),
        significance=float(inputs["significance"]),
        null=inputs["null"],
        n_draws=DRAWS,
    )


def z2_table(inputs):
    n_obs, drawn = int(inputs["observations"]), {"null": inputs["null"], "n_draws": 50_000}
    level = 1.0 - float(inputs["test_level"])
    return {
        "critical": acerbi_szekely_critical(n_obs, confidence(inputs), significance=level, **drawn),
        "p_value": acerbi_szekely_p_value(float(inputs["z2"]), n_obs, confidence(inputs), **drawn),
    }


def z_of(test):
    return lambda inputs: test(*var_and_es(inputs), confidence(inputs), n_draws=1_000).statistic


def bootstrap(inputs):
    plain = mcneil_frey_bootstrap(*var_and_es(inputs)).details
    found = dict(plain)
    if "vol" in inputs.backtest_columns():
        scaled = mcneil_frey_bootstrap(*var_and_es(inputs), sd=forecasts(inputs, "vol")[0]).details
        found |= {f"{key}_std": value for key, value in scaled.items()}
    return found


def one_sided(inputs):
    found = {
        name: nolde_ziegel_one_sided(
            *var_and_es(inputs), confidence(inputs), correction=name, alternative="as_printed", n_draws=0
        ).p_value
        for name in ("bonferroni", "hommel")
    }
    return {**found, "p_value": found[inputs.get("correction", "hommel")]}


def general(inputs):
    return tested(
        nolde_ziegel_general(*var_and_es(inputs), confidence(inputs), sd=forecasts(inputs, "vol")[0], n_draws=0)
    )


def pit(inputs):
    return forecasts(inputs, "pit")[0]


def de_unconditional(inputs):
    outcome = du_escanciano_unconditional(pit(inputs), confidence(inputs), n_draws=0)
    return {"stat": outcome.statistic, "z": outcome.details["z"], "p_value": outcome.p_value}


def de_conditional(inputs):
    lags = int(inputs.get("lags", 1))
    return tested(du_escanciano_conditional(pit(inputs), confidence(inputs), lags=lags, n_draws=0))


def de_all(inputs):
    first, fourth = (
        du_escanciano_conditional(pit(inputs), confidence(inputs), lags=lags, n_draws=0) for lags in (1, 4)
    )
    mean = du_escanciano_unconditional(pit(inputs), confidence(inputs), n_draws=0)
    return {
        "u": mean.statistic,
        "u_p": mean.p_value,
        "c1": first.statistic,
        "c1_p": first.p_value,
        "c4": fourth.statistic,
        "c4_p": fourth.p_value,
    }


def compared(inputs):
    """FZ0 loss of the file against a model of constants, multiples of the population standard deviation."""
    returns, var, es = var_and_es(inputs)
    sd = float(np.std(returns))
    var_b, es_b = (float(factor) * sd for factor in re.findall(r"([\d.]+)\s*\*", inputs["model_b"]))
    level = confidence(inputs)
    outcome = diebold_mariano(
        fz0_loss(returns, var, es, level),
        fz0_loss(returns, var_b, es_b, level),
        horizon=int(inputs.get("horizon", 1)),
    )
    return tested(outcome)


def daily(loss):
    return {"loss": loss, "mean": float(loss.mean())}


def forecast(inputs, *names):
    """Returns, then forecasts of the case as positive losses."""
    return np.asarray(inputs["returns"]), *(-np.asarray(inputs[name]) for name in names)


def qlike(inputs):
    proxy = inputs.first_of("variance", "realised", "realized", "proxy", "rv", "realised_variance", default=None)
    if proxy is None:
        proxy = np.asarray(inputs["returns"], dtype=float) ** 2
    loss = qlike_loss(proxy, inputs.first_of("forecast", "variance_forecast", "h", "forecasts"))
    log_form = loss + 1.0 + np.log(proxy)
    return daily(loss) | {"loss_log_form": log_form, "mean_log_form": float(log_form.mean())}


QUANTITIES = {
    "qlike_loss": qlike,
    "asymmetric_laplace_loss": lambda inputs: daily(
        asymmetric_laplace_loss(*forecast(inputs, "var_as_quantile", "es_as_quantile"), inputs.confidence)
    ),
    "pinball_loss": lambda inputs: daily(quantile_loss(*forecast(inputs, "var_as_quantile"), inputs.confidence)),
    "fz0_loss": lambda inputs: daily(
        fz0_loss(*forecast(inputs, "var_as_quantile", "es_as_quantile"), inputs.confidence)
    ),
    "expectile_loss": lambda inputs: daily(expectile_loss(*forecast(inputs, "forecast"), inputs["tau"])),
    "traffic_light": traffic,
    "traffic_light_probability": traffic_probability,
    "zone_starts": starts,
    "basel_type1_table": basel,
    "basel_type2_table": basel,
    "frtb_multiplier": lambda inputs: per_item(inputs, "exceptions", frtb_multiplier),
    "kupiec_pof": lambda inputs: tested(kupiec_pof(*counts(inputs), confidence(inputs))),
    "kupiec_pof_reject": pof_reject,
    "pof_nonrejection_region": lambda inputs: region(
        pof_nonrejection_region(
            int(inputs["observations"]),
            confidence(inputs),
            significance=1.0 - float(inputs.get("test_confidence", 0.95)),
            order="asymptotic",
        )
    ),
    "pof_true_size": lambda inputs: pof_size(
        int(inputs["observations"]), confidence(inputs), significance=float(inputs.get("nominal", 0.05))
    ),
    "kupiec_tuff": tuff,
    "tuff_nonrejection_region": lambda inputs: region(
        tuff_nonrejection_region(confidence(inputs), significance=1.0 - float(inputs.get("test_confidence", 0.95)))
    ),
    "kupiec_tuff_no_failure": tuff_without_failure,
    "binomial_z": lambda inputs: tested(binomial_z(*counts(inputs), confidence(inputs))),
    "binomial_upper_p": lambda inputs: binomial_tail(*counts(inputs), confidence(inputs)).p_value,
    "proportion_test_yates": lambda inputs: {
        **tested(outcome := score_test(*counts(inputs), confidence(inputs))),
        **outcome.details,
    },
    "exceptions": lambda inputs: {"observations": hits_of(inputs).size, "exceptions": int(hits_of(inputs).sum())},
    "transition_counts": lambda inputs: hit_transitions(hits_of(inputs))._asdict(),
    "christoffersen_independence": independence,
    "christoffersen_cc": lambda inputs: {
        **three_ratios(inputs),
        **tested(christoffersen_conditional(hits_of(inputs), confidence(inputs))),
    },
    "kupiec_and_christoffersen": three_ratios,
    "christoffersen_cc_exact_p": cc_exact,
    "cc_true_size": lambda inputs: christoffersen_size(
        int(inputs["observations"]), confidence(inputs), significance=float(inputs.get("nominal", 0.05))
    ),
    "tbfi_lr": lambda inputs: tested(haas_tbfi(hits_of(inputs), confidence(inputs), n_draws=0)),
    "tbfi_p_value": lambda inputs: haas_tbfi(hits_of(inputs), confidence(inputs), n_draws=0).p_value,
    "tbf_p_value": lambda inputs: haas_tbf(hits_of(inputs), confidence(inputs), n_draws=0).p_value,
    "christoffersen_pelletier": weibull,
    "dynamic_quantile": dq,
    "acerbi_szekely_z1": z_of(acerbi_szekely_z1),
    "acerbi_szekely_z2": z_of(acerbi_szekely_z2),
    "acerbi_szekely_z1_z2": lambda inputs: {
        "z1": z_of(acerbi_szekely_z1)(inputs),
        "z2": z_of(acerbi_szekely_z2)(inputs),
    },
    "acerbi_szekely_z2_critical": z2_critical,
    "acerbi_szekely_z2_table": z2_table,
    "mcneil_frey_z_p": lambda inputs: mcneil_frey_z(*var_and_es(inputs)).p_value,
    "mcneil_frey_bootstrap_p": bootstrap,
    "nolde_ziegel_simple_two_sided": lambda inputs: tested(
        nolde_ziegel_simple(*var_and_es(inputs), confidence(inputs), n_draws=0)
    ),
    "nolde_ziegel_general_two_sided": general,
    "nolde_ziegel_simple_one_sided": one_sided,
    "du_escanciano_unconditional": de_unconditional,
    "du_escanciano_conditional": de_conditional,
    "du_escanciano": de_all,
    "mean_quantile_loss": lambda inputs: float(
        quantile_loss(*forecasts(inputs, "returns", "var_as_quantile"), confidence(inputs)).mean()
    ),
    "mean_fz0_loss": lambda inputs: float(fz0_loss(*var_and_es(inputs), confidence(inputs)).mean()),
    "diebold_mariano": compared,
}
