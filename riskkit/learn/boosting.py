"""Gradient boosting of the tail by scikit-learn's trees: the quantile loss for VaR, the FZ0 loss for VaR and ES together.

Losses are divided by their recent volatility before, so that the first forecast, to which trees add, is filtered simulation.
All of it runs in one thread, and ties of splits are broken by a seed from the caller's generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from riskkit._check import InputError, probability, whole_number

Loss = Literal["fz0", "pinball"]
Pair: TypeAlias = tuple[np.ndarray, np.ndarray]
Predict: TypeAlias = Callable[[np.ndarray], Pair]
"""VaR and ES, in units of the recent volatility, of rows of features."""

CALIBRATION_PARTS = 3
TOO_FEW = "the quantile of the losses at {:g} is not above zero in a training; give more returns"
TAIL_PER_LEAF = 5.0
"""Expected number of losses beyond VaR in the smallest leaf: fewer say nothing about a quantile."""


class Settings(NamedTuple):
    """Size of a boosted model: number and depth of its trees, and the share of each that is added."""

    trees: int
    depth: int
    rate: float

    @classmethod
    def checked(cls, n_trees: int, tree_depth: int, learning_rate: float) -> Settings:
        """The settings of a caller."""
        trees, depth = whole_number(n_trees, "n_trees"), whole_number(tree_depth, "tree_depth")
        return cls(trees, depth, probability(learning_rate, "learning_rate"))


def fit_tail(features: np.ndarray, losses: np.ndarray, p: float, loss: Loss, size: Settings, seed: int) -> Predict:
    """VaR and ES with tail probability `p` as functions of the features, learned from losses over volatility.

    What was fitted forecasts too little outside its rows. So each of three parts of the rows is forecast by a model of the
    other two, and the forecasts are scaled until they are exceeded as often as they should be (cross-conformal).
    """
    by = _by_pinball if loss == "pinball" else _by_fz0
    unit = np.abs(features).max(axis=0)  # trees take differences below 1e-7 for none
    unit[unit == 0.0] = 1.0
    table = (features / unit).astype(np.float32, order="C")  # as trees take them
    parts = np.array_split(np.arange(len(losses)), CALIBRATION_PARTS)
    apart = [np.delete(np.arange(len(losses)), part) for part in parts]
    var = np.concatenate(
        [by(table[rest], losses[rest], p, size, seed)(table[part])[0] for rest, part in zip(apart, parts, strict=True)]
    )
    scale = float(np.quantile(losses / var, 1.0 - p, method="higher"))
    if scale <= 0.0:
        raise InputError(TOO_FEW.format(1.0 - p))
    predict = by(table, losses, p, size, seed)

    def scaled(rows: np.ndarray) -> Pair:
        low, beyond = predict((rows / unit).astype(np.float32, order="C"))
        return scale * low, scale * beyond

    return scaled


def _start(losses: np.ndarray, p: float) -> float:
    """VaR without any feature."""
    start = float(np.quantile(losses, 1.0 - p))
    if start <= 0.0:
        raise InputError(TOO_FEW.format(1.0 - p))
    return start


def _by_pinball(features: np.ndarray, losses: np.ndarray, p: float, size: Settings, seed: int) -> Predict:
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(
        loss="quantile",
        alpha=1.0 - p,
        n_estimators=size.trees,
        max_depth=size.depth,
        learning_rate=size.rate,
        min_samples_leaf=_leaf(p),
        random_state=seed,
    ).fit(features, losses)
    least = 0.1 * _start(losses, p)
    ratio = _es_over_var(losses, np.maximum(model.predict(features), least), p)

    def predict(rows: np.ndarray) -> Pair:
        var = np.maximum(model.predict(rows), least)
        return var, ratio * var

    return predict


def _by_fz0(features: np.ndarray, losses: np.ndarray, p: float, size: Settings, seed: int) -> Predict:
    """VaR = exp(a), ES = VaR (1 + exp(b)); a tree is added to a and to b down the gradient of the mean loss."""
    from sklearn.tree import DecisionTreeRegressor

    start = _start(losses, p)
    ratio = _es_over_var(losses, np.full(len(losses), start), p)
    first = math.log(start), math.log(max(ratio - 1.0, 1e-3))
    a, b = (np.full(len(losses), value) for value in first)
    trees = []
    for _ in range(size.trees):
        var = np.exp(a)
        es = var * (1.0 + np.exp(b))
        hit = losses > var
        down_a = hit * losses / (p * es) - 1.0
        down_b = (es - var) / es * ((var + hit * (losses - var) / p) / es - 1.0)
        pair = [
            DecisionTreeRegressor(max_depth=size.depth, min_samples_leaf=_leaf(p), random_state=seed)
            .fit(features, down, check_input=False)
            .tree_
            for down in (down_a, down_b)
        ]
        a, b = a + size.rate * pair[0].predict(features)[:, 0], b + size.rate * pair[1].predict(features)[:, 0]
        trees.append(pair)

    def predict(rows: np.ndarray) -> Pair:
        a, b = (first[k] + size.rate * sum(pair[k].predict(rows)[:, 0] for pair in trees) for k in (0, 1))
        return np.exp(a), np.exp(a) * (1.0 + np.exp(b))

    return predict


def _leaf(p: float) -> int:
    """Rows in the smallest leaf."""
    return max(10, math.ceil(TAIL_PER_LEAF / p))


def _es_over_var(losses: np.ndarray, var: np.ndarray, p: float) -> float:
    """The ratio of ES to VaR that has the least mean FZ0 loss with these VaR."""
    return 1.0 + float(np.mean(np.maximum(losses / var - 1.0, 0.0))) / p
