"""Price paths: geometric Brownian motion and Merton's jump diffusion."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, positive, refuse_size, shown, whole_number
from riskkit._show import Row
from riskkit.covariance import covariance_from_correlation
from riskkit.montecarlo.draws import BLOCK, SobolDraws, Variates, VariateSpec, source_of
from riskkit.montecarlo.models.return_model import ReturnModel, matrix_root, one_per_asset, product


class _Paths(ReturnModel):
    """Log prices with independent steps, whose distribution the subclass defines."""

    volatility: Any
    drift: Any
    correlation: Any
    horizon: float
    steps: int

    def __post_init__(self) -> None:
        positive(self.horizon, "horizon")
        whole_number(self.steps, "steps")
        self.root, self.log_drift  # noqa: B018 - refuse invalid input now, not during a run

    @property
    def labels(self) -> Any:
        """Names of the assets, or None."""
        return labels_of(self.volatility, 0) if np.ndim(self.volatility) else None

    @functools.cached_property
    def _volatility(self) -> np.ndarray:
        array = np.atleast_1d(finite_array(self.volatility, "volatility"))
        if array.ndim != 1 or array.min() < 0.0:
            raise InputError(f"volatility={shown(self.volatility)}; give one number per asset, at least zero")
        return array

    @property
    def n_assets(self) -> int:
        """Number of assets per scenario."""
        return len(self._volatility)

    @property
    def step(self) -> float:
        """Length of a step, in the unit of time of `volatility`."""
        return self.horizon / self.steps

    @functools.cached_property
    def root(self) -> np.ndarray:
        """(n_assets, n_assets) R with R R' = covariance of the diffusion over one step."""
        matrix = np.eye(self.n_assets) if self.correlation is None else self.correlation
        return matrix_root(covariance_from_correlation(matrix, self._volatility * math.sqrt(self.step)))

    @functools.cached_property
    def log_drift(self) -> np.ndarray:
        """(n_assets,) mean of the log return of the diffusion over one step."""
        growth = one_per_asset(self.drift, self.n_assets, "drift") - self._expected_jumps()
        drift: np.ndarray = (growth - self._volatility**2 / 2.0) * self.step
        return drift

    def _expected_jumps(self) -> np.ndarray:
        """(n_assets,) mean growth by jumps per unit of time."""
        return np.zeros(self.n_assets)

    def _log_steps(self, draws: Variates) -> np.ndarray:
        """(n, steps, n_assets) log returns."""
        count = self.steps * self.n_assets
        normals = draws.normals[:, :count].reshape(-1, self.n_assets)
        steps: np.ndarray = (product(normals, self.root.T) + self.log_drift).reshape(-1, self.steps, self.n_assets)
        return steps

    def returns(self, draws: Variates) -> np.ndarray:
        """(n, n_assets) simple returns over the horizon."""
        returns: np.ndarray = np.expm1(self._log_steps(draws).sum(axis=1))
        return returns

    def _over_horizon(self, draws: Any) -> ReturnModel:
        """One step, whose returns have the law of the sum of several; itself for given (arrays of) draws."""
        if self.steps == 1 or not isinstance(draws, (np.random.Generator, SobolDraws)):
            return self
        one_step: Any = self  # a dataclass in every subclass
        return replace(one_step, steps=1)

    def paths(self, n_paths: int | None, draws: Any, *, spot: Any = 1.0, antithetic: bool = False) -> np.ndarray:
        """Prices at every step, for path-dependent portfolios.

        Parameters
        ----------
        n_paths : int or None
            Number of paths; None for all rows of an array of draws.
        draws : numpy.random.Generator, Sobol, or (n, needs.columns) array
            Source of the random variates.
        spot : number or (n_assets,)
            Prices today.
        antithetic : bool
            Follow every path by its mirror image.

        Returns
        -------
        (n_paths, steps + 1, n_assets)
            Prices, today's first.

        Examples
        --------
        >>> motion = GeometricBrownianMotion(volatility=0.2, horizon=1.0, steps=2)
        >>> motion.paths(None, [[1.0, -1.0]], spot=100.0)[0, :, 0].round(2).tolist()
        [100.0, 114.05, 98.02]
        """
        source, n = source_of(draws, self.needs, n_paths, antithetic)
        start = one_per_asset(spot, self.n_assets, "spot")
        refuse_size((n, self.steps + 1, self.n_assets), "the paths", "draw fewer at a time")
        out = np.empty((n, self.steps + 1, self.n_assets))
        out[:, 0] = start
        for first in range(0, n, BLOCK):
            steps = self._log_steps(source.take(min(BLOCK, n - first)))
            out[first : first + BLOCK, 1:] = start * np.exp(np.cumsum(steps, axis=1))
        return out

    def _rows(self) -> list[Row]:
        return [
            ("assets", self.n_assets, ""),
            ("horizon", self.horizon, "in the unit of volatility and drift"),
            ("steps", self.steps, ""),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class GeometricBrownianMotion(_Paths):
    """Prices with normal log returns, exact at every step: d ln S = (drift - volatility²/2) dt + volatility dW.

    Parameters
    ----------
    volatility : number or (n_assets,)
        Standard deviation of log returns per unit of time (a year, say).
    drift : number or (n_assets,)
        Growth rate of the expected price per unit of time.
    correlation : (n_assets, n_assets), optional
        Of the Brownian motions; independent by default.
    horizon : float
        Length of the scenario in periods, the unit of time of drift and volatility.
    steps : int
        Number of equal steps of a path. Returns over the horizon are drawn in one step, which is exact.

    Raises
    ------
    InputError
        A negative volatility, an invalid correlation matrix, or shapes that do not fit.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 3.2.1.

    Examples
    --------
    >>> motion = GeometricBrownianMotion(volatility=[0.2, 0.1], drift=0.05)
    >>> motion.sample(None, [[1.0, 0.0]]).round(4).tolist()
    [[0.2586, 0.046]]
    """

    volatility: Any
    drift: Any = 0.0
    correlation: Any = None
    horizon: float = 1.0
    steps: int = 1

    @property
    def needs(self) -> VariateSpec:
        """One normal per asset and step."""
        return VariateSpec(normals=self.steps * self.n_assets)

    def _title(self) -> str:
        return "Geometric Brownian motion"


@dataclass(frozen=True, repr=False, eq=False)
class JumpDiffusion(_Paths):
    """Geometric Brownian motion with jumps at Poisson times and normal log jump sizes (Merton), exact at every step.

    The drift is that of the expected price: the mean growth by jumps is subtracted from the diffusion.

    Parameters
    ----------
    volatility : number or (n_assets,)
        Standard deviation of the diffusion part of log returns per unit of time.
    intensity : number or (n_assets,)
        Expected jumps per unit of time.
    jump_mean, jump_volatility : number or (n_assets,)
        Mean and standard deviation of the log return of one jump.
    drift : number or (n_assets,)
        Growth rate of the expected price per unit of time.
    correlation : (n_assets, n_assets), optional
        Of the Brownian motions; independent by default.
    common_jumps : bool
        True: the same jump times for all assets (crashes), with one intensity. False: independent jump times.
    horizon, steps
        As in `GeometricBrownianMotion`.

    Raises
    ------
    InputError
        A negative volatility or intensity, several intensities for common jumps, an invalid correlation matrix, or
        shapes that do not fit.

    References
    ----------
    Merton (1976), Option pricing when underlying stock returns are discontinuous, Journal of Financial Economics 3,
    125-144, section 2. Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 3.5.1.

    Examples
    --------
    >>> motion = JumpDiffusion(volatility=0.2, intensity=1.0, jump_mean=-0.1, jump_volatility=0.05)
    >>> motion.sample(None, [[0.0, 0.0, 0.3], [0.0, 0.0, 0.5]]).round(4).tolist()  # no jump, one jump
    [[0.0768], [-0.0256]]
    """

    volatility: Any
    intensity: Any
    jump_mean: Any
    jump_volatility: Any
    drift: Any = 0.0
    correlation: Any = None
    common_jumps: bool = False
    horizon: float = 1.0
    steps: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("intensity", "jump_volatility"):
            if one_per_asset(getattr(self, name), self.n_assets, name).min() < 0.0:
                raise InputError(f"{name}={getattr(self, name)!r} is below zero")
        if self.common_jumps and np.ndim(self.intensity) != 0:
            raise InputError("intensity has one number per asset; common jumps need one intensity")

    def _expected_jumps(self) -> np.ndarray:
        rate, mean, spread = self._jumps
        return rate * np.expm1(mean + spread**2 / 2.0)

    @functools.cached_property
    def _jumps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n_assets,) each: intensity, mean and standard deviation of the log jump."""
        names = ("intensity", "jump_mean", "jump_volatility")
        rate, mean, spread = (one_per_asset(getattr(self, name), self.n_assets, name) for name in names)
        return rate, mean, spread

    @property
    def needs(self) -> VariateSpec:
        """Two normals per asset and step (diffusion, jump sizes), and one uniform per jump process and step."""
        processes = 1 if self.common_jumps else self.n_assets
        return VariateSpec(normals=2 * self.steps * self.n_assets, uniforms=self.steps * processes)

    def _log_steps(self, draws: Variates) -> np.ndarray:
        rate, mean, spread = self._jumps
        jumps = self._counts(draws.uniforms.reshape(len(draws.uniforms), self.steps, -1), rate)
        sizes = draws.normals[:, self.steps * self.n_assets :].reshape(-1, self.steps, self.n_assets)
        steps: np.ndarray = super()._log_steps(draws) + jumps * mean + np.sqrt(jumps) * spread * sizes
        return steps

    def _counts(self, uniforms: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """(n, steps, n_jump_processes) Poisson counts by inversion of the distribution function."""
        counts = np.empty_like(uniforms)
        for process in range(uniforms.shape[2]):
            table = _poisson_cdf(float(rate[process]) * self.step)
            counts[:, :, process] = np.searchsorted(table, uniforms[:, :, process], side="right")
        return counts

    def _title(self) -> str:
        return "Merton jump diffusion"

    def _rows(self) -> list[Row]:
        return [
            *super()._rows(),
            ("jumps expected", float(self._jumps[0].mean() * self.horizon), "per asset over the horizon"),
        ]


def _poisson_cdf(mean: float) -> np.ndarray:
    """P(N <= k) for k = 0, 1, ... up to 1 within the 53 bits of a uniform."""
    from scipy.special import pdtr

    last = math.ceil(mean + 12.0 * math.sqrt(mean) + 20.0)
    return pdtr(np.arange(last), mean)
