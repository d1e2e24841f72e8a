"""Reference quantities of riskkit.frtb."""

import math

import numpy as np
from scipy.special import ndtr

from riskkit import frtb
from riskkit.frtb import tables


def liquidity_horizons(inputs):
    return frtb.liquidity_horizon_es(inputs["es_10d_nested"], inputs["horizons"])


def liquidity_horizons_from_pnl(inputs):
    result = frtb.expected_shortfall(inputs["pnl_10d_by_horizon_class"], inputs["horizons"], inputs.confidence)
    return {"es": result.es, "es_nested": result.nested}


def stressed(inputs):
    parts = [inputs[name] for name in ("es_reduced_stressed", "es_full_current", "es_reduced_current")]
    es = frtb.stressed_es(*parts)
    return {"es": es, "ratio": es / parts[0]}


def non_modellable(inputs):
    names = ("ises_idiosyncratic_credit", "ises_idiosyncratic_equity", "ses_other")
    return frtb.non_modellable_charge(*(inputs.get(name, []) for name in names), inputs.get("rho", 0.6))


def capital(inputs):
    names = ("imcc_last", "ses_last", "imcc_average_60d", "ses_average_60d")
    return frtb.model_capital(*(inputs[name] for name in names), inputs.get("multiplier", 1.5))


def surcharge(inputs):
    amber, green = inputs["sa_amber_desks"], inputs["sa_green_desks"]
    charge = frtb.attribution_surcharge(amber, green, inputs["sa_green_amber"], inputs["ima_green_amber"])
    return {"k": frtb.attribution_surcharge(amber, green, 1.0, 0.0), "surcharge": charge}


def zones(inputs):
    pairs = zip(np.atleast_1d(inputs["spearman"]), np.atleast_1d(inputs["ks"]), strict=True)
    return {"zone": [frtb.attribution_zone(float(rho), float(distance)) for rho, distance in pairs]}


def attribution(inputs):
    if "file" in inputs:
        columns, data = inputs["columns"], inputs.frame()
        pair = data[columns["hpl"]], data[columns["rtpl"]]
    else:
        pair = inputs.first_of("x", "hpl"), inputs.first_of("y", "rtpl")
    result = frtb.attribution_test(*pair)
    return {"spearman": result.spearman, "ks": result.kolmogorov_smirnov, "zone": result.zone}


def desk_backtest(inputs):
    """Days with these numbers of losses beyond both limits, and beyond the lower one; of one desk, or of each."""
    counts = [inputs.first_of(f"exceptions_{name}", f"exceptions_{name}pct") for name in ("99", "975")]

    def eligible(at_99, at_975):
        days = np.arange(max(at_99, at_975, 1))
        pnl = np.where(days < at_99, -3.0, np.where(days < at_975, -1.5, 0.0))
        return frtb.desk_backtest(pnl, np.full(len(days), 2.0), np.full(len(days), 1.0)).eligible

    found = [eligible(*pair) for pair in zip(*map(np.atleast_1d, counts), strict=True)]
    return {"eligible": found if np.ndim(counts[0]) else found[0]}


def tenor_correlation(inputs):
    return frtb.tables.tenor_correlations(inputs["tenors"], inputs.get("theta", 0.03), inputs.get("floor", 0.4))


def told(charge):
    return {
        **{name: {"kb": charge.buckets[name], "delta": value} for name, value in charge.charges.items()},
        "capital": charge.capital,
    }


def girr_delta(inputs):
    given = {float(tenor): weight / 100.0 for tenor, weight in inputs.get("risk_weights_pct", {}).items()}
    assert all(math.isclose(tables.GIRR_WEIGHTS[tenor], weight) for tenor, weight in given.items())
    curves = {
        currency: {float(tenor): amount for tenor, amount in curve.items()}
        for currency, curve in inputs["sensitivities"].items()
    }
    divided = inputs["divide_by_sqrt2"]
    named = divided if isinstance(divided, list) else list(curves) if divided else []
    return told(frtb.girr_delta(curves, specified=named))


def alternative(inputs):
    weighted, rho, gamma = inputs["weighted_sensitivities"], inputs["rho"], inputs["gamma"]
    charge = frtb.aggregate_buckets(weighted, rho, gamma)
    kb, totals = charge.buckets["medium"], np.array([sum(each) for each in weighted])
    before = float(kb @ kb + gamma * (totals.sum() ** 2 - totals @ totals))
    return {
        **{"kb": kb, "sb": charge.sums["medium"], "delta": charge.charges["medium"]},
        **{"radicand_before": before, "alternative_used": charge.alternative["medium"]},
    }


def equity_delta(inputs):
    repo = keyed(inputs.get("repo_sensitivities_by_bucket", {}), int)
    return told(frtb.equity_delta(keyed(inputs["spot_sensitivities_by_bucket"], int), repo=repo))


def fx_delta(inputs):
    charge = frtb.fx_delta(inputs["sensitivities_to_reporting_usd"], specified=inputs["sqrt2_currencies"])
    return {**charge.charges, "capital": charge.capital}


def of_buckets(inputs):
    return {int(name): list(map(tuple, rows)) for name, rows in inputs["sensitivities"].items()}


def commodity_delta(inputs):
    return told(frtb.commodity_delta(of_buckets(inputs)))


def credit_delta(inputs):
    terms = {"instruments": inputs.get("instruments", "no securitisation"), "high_grade": inputs.get("high_grade", ())}
    return told(frtb.credit_delta(of_buckets(inputs), **terms))


def keyed(mapping, key):
    return {key(name): value for name, value in mapping.items()}


def rate_factor(name):
    """A tenor, "curve|tenor", or a flat factor."""
    curve, _, tenor = name.rpartition("|")
    try:
        return (curve, float(tenor)) if curve else float(tenor)
    except ValueError:
        return name


def rates_delta(inputs):
    curves = {currency: keyed(curve, rate_factor) for currency, curve in inputs["sensitivities"].items()}
    return told(frtb.girr_delta(curves, specified=inputs.get("sqrt2_currencies", tables.SPECIFIED_CURRENCIES)))


def number_or_name(text):
    return float(text) if text[0].isdigit() else text


def vega(inputs):
    """Interest rates by "option maturity|underlying maturity", exchange rates by maturity, names as rows."""
    given, risk_class = inputs["sensitivities"], inputs["risk_class"]
    if risk_class == "interest rate":
        pairs = {c: keyed(each, lambda name: tuple(map(number_or_name, name.split("|")))) for c, each in given.items()}
        return told(frtb.girr_vega(pairs))
    if risk_class == "FX":
        return told(frtb.fx_vega({pair: keyed(each, float) for pair, each in given.items()}))
    if risk_class in ("equity", "commodity"):
        return told(getattr(frtb, f"{risk_class}_vega")(of_buckets(inputs)))
    return told(frtb.credit_vega(of_buckets(inputs), instruments=risk_class))


def curvature(inputs):
    given, risk_class = inputs["risks"], inputs["risk_class"]
    if risk_class in ("interest rate", "FX"):
        return told((frtb.girr_curvature if risk_class == "interest rate" else frtb.fx_curvature)(given))
    if risk_class in ("equity", "commodity"):
        return told(getattr(frtb, f"{risk_class}_curvature")(keyed(given, int)))
    return told(frtb.credit_curvature(keyed(given, int), instruments=risk_class))


def basel_examples(inputs):
    """The correlations and weights that the rules work out themselves."""
    credit, commodity = inputs["credit"], inputs["commodity"]
    bond = frtb.credit_delta({4: [(*factor, 1.0) for factor in credit]}).buckets["medium"][0]
    oil = frtb.commodity_delta({2: [(*factor, 1.0) for factor in commodity["factors"]]}).buckets["medium"][0]
    weights = [tables.SECURITISATION_WEIGHTS[bucket] for bucket in inputs["securitisation_buckets"]]
    return {
        "credit_pct": 100.0 * ((bond / 0.03) ** 2 / 2.0 - 1.0),
        "commodity_pct": 100.0 * ((oil / 0.35) ** 2 / 2.0 - 1.0),
        "securitisation_weights_pct": [100.0 * weight for weight in weights],
    }


def credit_kb(inputs):
    positions, weight = inputs["positions"], inputs["risk_weight"]
    rho = np.eye(len(positions))
    for i, (name, tenor, kind, _) in enumerate(positions):
        for j, (other, years, curve, _) in enumerate(positions):
            rho[i, j] = 1.0 if name == other else inputs["rho_name"]
            rho[i, j] *= 1.0 if tenor == years else inputs["rho_tenor"]
            rho[i, j] *= 1.0 if kind == curve else inputs["rho_basis"]
    charge = frtb.aggregate_buckets([[weight * amount for *_, amount in positions]], [rho], 0.0)
    return {name: kb[0] for name, kb in charge.buckets.items()}


def equity_vega(inputs):
    entries, weight = inputs["vega_times_vol"], tables.vega_weight(inputs["liquidity_horizon"])
    rho = tables.vega_correlations([entry["maturity"] for entry in entries], inputs["alpha"])
    return {"risk_weight": weight, "kb": frtb.bucket_charge([weight * entry["value"] for entry in entries], rho)}


def curvature_kb(inputs):
    up, down = ([entry[side] for entry in inputs["cvr"]] for side in ("up", "down"))
    found = {}
    for scenario in ("low", "medium", "high"):
        bucket = frtb.curvature_bucket(up, down, inputs["rho_delta"], scenario)
        found[scenario] = {
            **{"kb_up": bucket.charge_up, "kb_down": bucket.charge_down, "kb": bucket.charge},
            **{"scenario": bucket.side, "sb": bucket.net},
        }
    return found


def cvr(inputs):
    strike, vol, rate, years = (inputs[name] for name in ("strike", "vol", "rate", "maturity"))

    def d1(spot):
        return (math.log(spot / strike) + (rate + 0.5 * vol * vol) * years) / (vol * math.sqrt(years))

    def value(spot):
        lower = d1(spot) - vol * math.sqrt(years)
        return inputs["quantity"] * float(spot * ndtr(d1(spot)) - strike * math.exp(-rate * years) * ndtr(lower))

    delta = inputs["quantity"] * float(ndtr(d1(inputs["spot"])))
    up, down = frtb.curvature_risk(value, inputs["spot"], delta, inputs["risk_weight"])
    return {"cvr_up": up, "cvr_down": down}


def drc_bucket(inputs):
    long, short = (
        [(entry["rating"], entry["jtd"]) for entry in inputs[name]] for name in ("net_long_jtd", "net_short_jtd")
    )
    bucket = frtb.default_bucket(long, short, inputs["risk_weights"])
    return {"hbr": bucket.hedge_benefit, "drc": bucket.charge}


def large_pool(inputs):
    share = frtb.large_pool_quantile(inputs["pd"], inputs["asset_correlation"], inputs.confidence)
    return inputs.get("lgd", 1.0) * share


def residual_risk(inputs):
    notionals = [
        np.atleast_1d(
            inputs.first_of(name, f"{name}_notional", f"{name}_notionals", f"gross_notional_{name}", default=0.0)
        )
        for name in ("exotic", "other")
    ]
    return {name: frtb.residual_risk_charge(*notionals) for name in ("rrao", "charge", "capital")}


def default_jump(inputs):
    def one(entry):
        market = entry.get("market_value")
        pnl = entry.get("pnl", 0.0 if market is None else market - entry["notional"])
        terms = {"lgd": entry.get("lgd", 0.75), "maturity": entry.get("maturity", 1.0)}
        return frtb.jump_to_default(entry["notional"], pnl, **terms)

    positions = inputs.get("positions")
    jumps = [one(entry) for entry in positions] if positions is not None else one(inputs)
    return {"jtd": jumps, "net": float(np.sum(jumps))}


def default_counts(inputs):
    terms = inputs.first_of("n", "n_issuers", "issuers"), inputs["pd"], inputs.first_of("asset_correlation", "rho")
    probabilities = frtb.default_count_distribution(*terms)
    counts = np.asarray(inputs.first_of("counts", "k", "defaults", default=range(len(probabilities))))
    mean = float(probabilities @ np.arange(len(probabilities)))
    square = float(probabilities @ np.arange(len(probabilities)) ** 2)
    found = {
        **dict.fromkeys(("probability", "probabilities", "pmf"), probabilities[counts]),
        **dict.fromkeys(("cdf", "cumulative"), np.cumsum(probabilities)[counts]),
        **{"mean": mean, "variance": square - mean**2, "sd": math.sqrt(square - mean**2)},
    }
    if "level" in inputs or "p" in inputs:
        found["quantile"] = int(np.searchsorted(np.cumsum(probabilities), inputs.confidence))
    return found


def vega_weights(inputs):
    horizons = inputs.first_of("liquidity_horizons", "liquidity_horizon", "horizons")
    if isinstance(horizons, dict):
        return {name: tables.vega_weight(days) for name, days in horizons.items()}
    return {"risk_weight": [tables.vega_weight(days) for days in np.atleast_1d(horizons)]}


QUANTITIES = {
    "frtb_rrao": residual_risk,
    "frtb_jtd": default_jump,
    "drc_default_count_distribution": default_counts,
    "frtb_vega_risk_weights": vega_weights,
    "frtb_es_liquidity_horizons": liquidity_horizons,
    "frtb_es_liquidity_horizons_from_pnl": liquidity_horizons_from_pnl,
    "frtb_es_stressed": stressed,
    "frtb_imcc": lambda inputs: frtb.internal_model_charge(
        inputs["imcc_unconstrained"], inputs["imcc_by_risk_class"], inputs.get("rho", 0.5)
    ),
    "frtb_nmrf_ses": non_modellable,
    "frtb_ima_capital": capital,
    "frtb_pla_surcharge": surcharge,
    "frtb_pla_zone": zones,
    "frtb_pla_test": attribution,
    "spearman_with_ties": attribution,
    "frtb_desk_backtest": desk_backtest,
    "frtb_girr_tenor_correlation": tenor_correlation,
    "frtb_girr_delta": girr_delta,
    "frtb_delta_alternative_sb": alternative,
    "frtb_equity_delta": equity_delta,
    "frtb_fx_delta": fx_delta,
    "frtb_commodity_delta": commodity_delta,
    "frtb_credit_delta": credit_delta,
    "frtb_girr_factors_delta": rates_delta,
    "frtb_vega": vega,
    "frtb_curvature": curvature,
    "frtb_basel_examples": basel_examples,
    "frtb_csr_kb": credit_kb,
    "frtb_equity_vega_kb": equity_vega,
    "frtb_curvature_kb": curvature_kb,
    "frtb_cvr": cvr,
    "frtb_drc_bucket": drc_bucket,
    "drc_large_pool_quantile": large_pool,
}
