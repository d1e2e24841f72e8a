"""Every argument that takes a generator of random numbers refuses a seed with the generator that was meant."""

import inspect
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest
from public_names import public_names

import riskkit as rk
from riskkit._check import InputError
from riskkit.replay.sweeps.calibration.block_bootstrap import day_bootstrap

RNG = np.random.default_rng(5)
LOSSES = 0.01 * RNG.standard_normal((300, 2))
GIVEN: dict[str, Any] = {
    "pnl": [1.0, -1.0],
    "returns": LOSSES[:, 0],
    "horizon": 3,
    "var": 0.02,
    "es": 0.025,
    "sd": 0.01,
    "hits": LOSSES[:, 0] < -0.02,
    "pit": RNG.random(300),
    "scores": LOSSES,
    "n_obs": 250,
    "positions": [100.0],
    "model": rk.montecarlo.NormalReturns([[0.0004]]),
    "forecasts": {"a": np.full((300, 1), 0.02), "b": np.full((300, 1), 0.01)},
    "interval": "bootstrap",
    "n_scenarios": 16,
    "confidence": 0.95,
    "observed": 1.0,
    "used": pd.Series([0.5, 0.5], pd.date_range("2024-01-01", periods=2)),
}


def functions_with(name: str) -> dict[str, Any]:
    found = {}
    for public in public_names():
        thing = getattr(import_module(public.module), public.name)
        if inspect.isfunction(thing) and name in inspect.signature(thing).parameters:
            found[f"{public.area}.{public.name}"] = thing
    return found


@pytest.mark.parametrize("name", functions_with("rng"))
def test_a_seed_is_told_the_generator(name):
    function = functions_with("rng")[name]
    given = {key: GIVEN[key] for key in inspect.signature(function).parameters if key in GIVEN}
    if name == "sweeps.calibrate":  # of days: the log is replayed before
        function, given = day_bootstrap, {"n_days": 5, "block": 2.0, "kind": "stationary"}
    if name == "sweeps.effectiveness":
        given["result"] = rk.replay_log(rk.replay.tiny_log([1]), rk.RuleSet([]), compiled=False)
    if name == "incidents.detection":
        given = {"log": rk.replay.tiny_log(), "rules": rk.RuleSet([]), "incidents": "jcom", "settings": {}}
    with pytest.raises(InputError, match=r"rng=7 is not a numpy Generator; give numpy.random.default_rng\(7\)"):
        function(**given, rng=7)


DRAWS = {
    "simulate_risk": lambda draws: rk.simulate_risk(GIVEN["model"], [1.0], 16, draws=draws),
    "sample": lambda draws: GIVEN["model"].sample(16, draws),
    "paths": lambda draws: rk.montecarlo.GeometricBrownianMotion([0.2]).paths(16, draws),
    "BlockBootstrap": lambda draws: rk.montecarlo.BlockBootstrap(LOSSES).sample(16, draws),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("seed", [7, np.int64(7), None, True])
def test_draws_that_are_a_seed_are_told_the_generator(name, seed):
    number = "seed" if seed is None or seed is True else "7"
    with pytest.raises(
        InputError, match=rf"draws=.* is not a numpy Generator; give numpy.random.default_rng\({number}\)"
    ):
        DRAWS[name](seed)
