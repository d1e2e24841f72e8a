"""Types of arguments and results, for annotations only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray
"""In the signatures of kernels."""

ReturnsLike: TypeAlias = "np.ndarray | pd.Series | pd.DataFrame | Sequence[float] | Sequence[Sequence[float]]"
"""Returns or P&L: (n_obs,) or (n_obs, n_series)."""
PositionsLike: TypeAlias = "np.ndarray | pd.Series | Sequence[float]"
"""(n_assets,) money held."""
Confidence: TypeAlias = float | Sequence[float]
"""One confidence or several, 0.99 for 99 %."""

Vector: TypeAlias = "np.ndarray | pd.Series"
"""(n_assets,), a Series where the assets have names."""
Labelled: TypeAlias = "np.ndarray | pd.Series | pd.DataFrame"
"""An array, a Series or DataFrame where there are labels."""
Quantity: TypeAlias = "float | np.ndarray | pd.Series | pd.DataFrame"
"""A number for one portfolio at one confidence, otherwise an array, Series or DataFrame."""

Measure = Literal["var", "es", "volatility"]
TailMeasure = Literal["var", "es"]
