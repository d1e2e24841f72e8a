"""Reference quantities of riskkit.stress."""

import numpy as np
import pandas as pd

from riskkit import stress


def prior(inputs):
    given = inputs.get("prior", "equal")
    return None if given == "equal" else given


def mean_view(inputs):
    found = stress.entropy_pooling(inputs["scenarios"], {0: inputs["mean"]}, prior=prior(inputs))
    return {name: getattr(found, name) for name in ("probabilities", "relative_entropy", "effective_scenarios")}


def mean_variance_view(inputs):
    table = pd.DataFrame(inputs["scenarios"])
    found = stress.entropy_pooling(table, {"x": inputs["mean_x"]}, {"x": inputs["variance_x"]}, prior=prior(inputs))
    return {
        **{"probabilities": found.probabilities.to_numpy(), "posterior_mean_y": found.mean["y"]},
        "relative_entropy": found.relative_entropy,
    }


def conditional(inputs):
    shocked, moves = np.atleast_1d(inputs["shocked"]).tolist(), np.atleast_1d(inputs["shock"]).tolist()
    shocks = dict(zip(shocked, moves, strict=True))
    found = stress.conditional_moves(inputs["covariance"], shocks, mean=inputs.get("mean"))
    others = np.delete(np.arange(len(found.mean)), shocked)
    return {
        **{"conditional_mean": found.mean[others], "mahalanobis": found.distance},
        "conditional_covariance": found.covariance[np.ix_(others, others)],
    }


def index_drops(inputs):
    known = {(drop.series, drop.start, drop.end): drop for drop in stress.INDEX_DROPS}
    drops = []
    for *name, close_from, close_to in zip(
        *(inputs[key] for key in ("index", "from_date", "to_date", "close_from", "close_to")), strict=True
    ):
        drop = known.get(tuple(name), stress.IndexDrop(*name, close_from, close_to))
        assert (drop.close_from, drop.close_to) == (close_from, close_to)
        drops.append(100.0 * drop.move)
    return {"drop_pct": drops}


def rates(inputs):
    table = stress.rate_shocks(inputs["tenors"], inputs["parallel_bp"], inputs["short_bp"], inputs["long_bp"])
    return {name: table[name].tolist() for name in table}


def reverse_linear(inputs):
    book = inputs.first_of("positions", "exposures", "weights", "delta", "sensitivities")
    found = stress.reverse_stress(book, inputs["loss"], inputs["covariance"], mean=inputs.get("mean"))
    return {"scenario": found.scenario, **dict.fromkeys(("distance", "mahalanobis"), found.distance)}


def similar(inputs):
    scenario = {int(factor): move for factor, move in inputs["scenario"].items()}
    return stress.similar_periods(inputs["history"], scenario, inputs["count"], apart=inputs.get("apart", 1)).to_dict(
        "list"
    )


QUANTITIES = {
    "similar_periods": similar,
    "factor_scenarios": lambda inputs: stress.factor_scenarios(
        inputs["loadings"], inputs["moves"], specific_moves=inputs.get("specific_moves")
    ),
    "factor_loadings": lambda inputs: stress.factor_loadings(inputs["returns"], inputs["factors"]).loadings,
    "reverse_stress_linear": reverse_linear,
    "entropy_pooling_mean_view": mean_view,
    "entropy_pooling_mean_variance_view": mean_variance_view,
    "conditional_normal_scenario": conditional,
    "historical_index_drops": index_drops,
    "irrbb_rate_scenarios": rates,
}
