"""Maxima of blocks: a generalized extreme value distribution, and the loss that a block exceeds once in so many."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, constant, finite_array, whole_number
from riskkit._docs import with_described_fields
from riskkit._types import ReturnsLike
from riskkit.var.tails.diagnostics import losses_of

MIN_BLOCKS = 5


@with_described_fields
class BlockMaxima(NamedTuple):
    """Generalized extreme value distribution of the largest loss of a block.

    Attributes
    ----------
    location : float
        Location, a loss in the unit of the returns.
    scale : float
        Scale, in the unit of the returns.
    shape : float
        Shape ξ, above zero for a power tail; scipy's `c` is its negative.
    log_likelihood : float
        Of the maxima.
    n_blocks : int
        Number of full blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var.tails import block_maxima
    >>> block_maxima(0.01 * np.random.default_rng(1).standard_t(4, 2000), 20).n_blocks
    100
    """

    location: float
    scale: float
    shape: float
    log_likelihood: float
    n_blocks: int

    def return_level(self, blocks: Any) -> Any:
        """Loss that the largest loss of a block exceeds once in so many blocks on average.

        Parameters
        ----------
        blocks : float or sequence of float
            Numbers of blocks, above 1.

        Returns
        -------
        float or (n,)
            Loss, in the unit of the returns.
        """
        from scipy.stats import genextreme

        counts = finite_array(blocks, "blocks")
        if (counts <= 1.0).any():
            raise InputError(
                f"blocks={float(counts.min()):g} is not above 1; a level that is exceeded once in 10 blocks needs 10"
            )
        levels = genextreme.isf(1.0 / counts, -self.shape, self.location, self.scale)
        return float(levels) if np.ndim(blocks) == 0 else np.asarray(levels)


def block_maxima(returns: ReturnsLike, block: int) -> BlockMaxima:
    """Fit a generalized extreme value distribution to the largest loss of each block, by maximum likelihood.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L, oldest first.
    block : int
        Periods per block; periods after the last full block are left out.

    Returns
    -------
    BlockMaxima
        Parameters in the unit of `returns`, and `return_level`.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, fewer than five full blocks, or maxima that are all equal.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.1.4.

    Examples
    --------
    >>> import numpy as np
    >>> fit = block_maxima(0.01 * np.random.default_rng(1).standard_t(4, 2000), 20)
    >>> round(fit.location, 4), round(fit.shape, 2), round(fit.return_level(50), 4)
    (0.0214, 0.23, 0.0852)
    """
    from scipy.optimize import minimize

    length = whole_number(block, "block", at_least=2)
    losses = losses_of(returns, ordered=True)
    n_blocks = len(losses) // length
    if n_blocks < MIN_BLOCKS:
        raise InputError(f"returns has {n_blocks} full blocks of {length} periods; at least {MIN_BLOCKS} are needed")
    maxima = losses[: n_blocks * length].reshape(n_blocks, length).max(axis=1)
    if constant(maxima):
        raise InputError("the largest losses of the blocks are all equal; there is nothing to fit")
    centre, spread = float(np.median(maxima)), float(maxima.std())
    scaled = (maxima - centre) / spread

    def misfit(parameters: np.ndarray) -> float:
        location, log_scale, shape = parameters
        z = (scaled - location) * np.exp(-log_scale)
        inside = 1.0 + shape * z
        if inside.min() <= 0.0:
            return 1e10
        logs = z if abs(shape) < 1e-9 else np.log(inside) / shape  # the limit is Gumbel's law
        return min(float(n_blocks * log_scale + ((1.0 + shape) * logs + np.exp(-logs)).sum()), 1e10)

    start = np.array([-0.2, -0.3, 0.1])
    for _ in range(3):
        start = minimize(misfit, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000}).x
    location, scale, shape = float(start[0]), float(np.exp(start[1])), float(start[2])
    height = -misfit(start) - n_blocks * float(np.log(spread))
    return BlockMaxima(centre + spread * location, spread * scale, shape, height, n_blocks)
