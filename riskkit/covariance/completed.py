"""Returns with gaps made complete, for every estimator that takes returns; what was done is printed with its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    float_array,
    labels_of,
    one_of,
    random_generator,
    refuse_disorder,
    refuse_prices,
    shown,
    with_labels,
)
from riskkit._plain import mapping_of
from riskkit._show import Row, Shown, as_html, as_text
from riskkit._types import ReturnsLike
from riskkit.covariance.incomplete import DONE, groups_of_gaps, incomplete_covariance

Filling = Literal["zero_fill", "proxy", "maximum_likelihood", "listwise"]


@dataclass(frozen=True, repr=False, eq=False)
class CompleteReturns(Shown):
    """Returns without gaps, and what was done about each gap.

    Attributes
    ----------
    returns : (n_obs, n_assets) or (n_obs,)
        Returns per period, in the type and with the labels of those given.
    is_filled : booleans, (n_obs, n_assets) or (n_obs,)
        True where a return was missing.
    done : DataFrame
        By asset: `missing`, the number of gaps; `policy`; `r_squared` of the regression on its proxies, NaN else.
    n_dropped : int
        Number of periods that were left out.
    has_noise : bool
        Whether residuals or noise were added to expected values.

    Examples
    --------
    >>> from riskkit.covariance import complete_returns
    >>> complete = complete_returns([[0.01, 0.02], [0.03, float("nan")], [-0.02, -0.03]], "zero_fill")
    >>> complete.returns[1].tolist(), complete.done["missing"].tolist()
    ([0.03, 0.0], [0, 1])
    """

    returns: Any
    is_filled: np.ndarray
    done: Any
    n_dropped: int
    has_noise: bool

    def apply(self, estimator: Callable[..., Any], *args: Any, **options: Any) -> CompletedResult:
        """``estimator(returns, *args, **options)``, printed with what was done about the gaps.

        Parameters
        ----------
        estimator : callable
            Any function of returns, such as `riskkit.value_at_risk` or `riskkit.covariance.shrunk_covariance`.
        *args, **options
            Its other arguments.

        Returns
        -------
        CompletedResult
            `result` is that of the estimator.
        """
        return CompletedResult(estimator(self.returns, *args, **options), self)

    def _title(self) -> str:
        return "Returns made complete"

    def _rows(self) -> list[Row]:
        noise = {"proxy": "residuals are drawn", "maximum_likelihood": "with normal noise"}
        rows: list[Row] = [("periods left out", self.n_dropped, "")] if self.n_dropped else []
        for asset, (missing, policy, r_squared) in zip(self.done.index, self.done.to_numpy().tolist(), strict=True):
            if missing:
                drawn = noise[policy] if self.has_noise else "no noise: volatility is too low"
                fit = f", R² {r_squared:.3g}" if policy == "proxy" else ""
                rows.append(
                    (f"gaps of {asset}", missing, SAID[policy] + fit + (f"; {drawn}" if policy in noise else ""))
                )
        return rows or [("gaps", 0, "")]


SAID = DONE | {
    "proxy": "by regression on proxies",
    "maximum_likelihood": "expected from the other assets (normal maximum likelihood)",
}
"""What each policy does, in a few words."""


@dataclass(frozen=True, repr=False, eq=False)
class CompletedResult(Shown):
    """Result of an estimator on returns that were made complete; both are printed.

    Attributes
    ----------
    result : object
        What the estimator returned.
    data : CompleteReturns
        The returns it was given.

    Examples
    --------
    >>> from riskkit.covariance import complete_returns, sample_volatility
    >>> complete_returns([0.01, float("nan"), -0.02], "listwise").apply(sample_volatility)
    0.021213203435596427
    <BLANKLINE>
    Returns made complete
    ----------------------------------------------------
    periods left out  1
    gaps of 0         1 left out with their whole period
    """

    result: Any
    data: CompleteReturns

    def __repr__(self) -> str:
        """Return both tables as text."""
        return f"{self.result!r}\n\n{as_text(self.data._title(), self.data._rows())}"

    def _repr_html_(self) -> str:
        result = self.result._repr_html_() if hasattr(self.result, "_repr_html_") else f"<pre>{self.result!r}</pre>"
        return result + as_html(self.data._title(), self.data._rows())


def complete_returns(
    returns: ReturnsLike,
    policy: Filling | Mapping[Any, Filling] = "maximum_likelihood",
    *,
    proxies: Mapping[Any, Any] | None = None,
    rng: np.random.Generator | None = None,
) -> CompleteReturns:
    """Returns without gaps, by a policy for all assets or one for each.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_assets)
        Returns per period, oldest first, a missing one as NaN, None or masked.
    policy : {"zero_fill", "proxy", "maximum_likelihood", "listwise"}, or a mapping of asset to one of them
        Zero-fill: for holidays, on which the value did not change. Proxy: regression on the assets that `proxies` names, for new
        listings. Maximum likelihood: expected given the assets that have a return in the period. Listwise: the period is left out.
        In this order; in a mapping, each asset with a gap is named.
    proxies : mapping of asset to asset or list of assets, optional
        For "proxy": columns of `returns` with a return wherever the asset has none.
    rng : numpy.random.Generator, optional
        Adds to each value of "proxy" a residual of the regression, and to each of "maximum_likelihood" normal noise of the right
        covariance. Without it the values are expected ones, and volatility is too low: both is said.

    Returns
    -------
    CompleteReturns
        `returns` goes to any estimator; ``apply(estimator)`` prints both.

    Raises
    ------
    InputError
        Infinity, an asset without a policy or a proxy, or too few periods in common.

    References
    ----------
    Little and Rubin (2019), Statistical Analysis with Missing Data, 3rd ed., sections 4.2 and 4.3 (regression and stochastic
    regression imputation). RiskMetrics (1996), Technical Document, 4th ed., section 8.2.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import sample_volatility
    >>> table = np.random.default_rng(1).multivariate_normal([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]], 500) / 100.0
    >>> table[:250, 1] = np.nan
    >>> complete_returns(table, "proxy", proxies={1: 0}, rng=np.random.default_rng(2)).apply(sample_volatility)
    array([0.00959223, 0.0097411 ])
    <BLANKLINE>
    Returns made complete
    ----------------------------------------------------------------------
    gaps of 1  250 by regression on proxies, R² 0.776; residuals are drawn
    """
    import pandas as pd

    refuse_disorder(returns, "returns")
    array = float_array(returns, "returns")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"returns has shape {array.shape}; it needs (n_obs,) or (n_obs, n_assets)")
    table = array.reshape(len(array), -1).copy()
    if np.isinf(table).any():
        raise InputError(
            f"returns holds infinity in row {int(np.argwhere(np.isinf(table))[0][0])}; a missing return is NaN"
        )
    gaps = np.isnan(table)
    refuse_prices(table[~gaps.any(axis=1)], "returns")
    columns = labels_of(returns, 1) if array.ndim == 2 else None
    assets = list(range(table.shape[1])) if columns is None else list(columns)
    proxies = mapping_of(proxies, "proxies")
    policies = _policies(mapping_of(policy, "policy"), assets, np.asarray(gaps.any(axis=0)))
    generator = None if rng is None else random_generator(rng)
    fits = np.full(len(assets), np.nan)
    chosen = {name: [j for j, own in enumerate(policies) if own == name] for name in get_args(Filling)}
    table[:, chosen["zero_fill"]] = np.where(np.isnan(table), 0.0, table)[:, chosen["zero_fill"]]
    for j in chosen["proxy"]:
        fits[j] = _by_proxies(table, j, _places(proxies, assets, j), assets, generator)
    _by_likelihood(table, chosen["maximum_likelihood"], returns, generator)
    keep = ~np.isnan(table).any(axis=1)
    if not keep.any():
        raise InputError("returns has no period without a gap; policy='listwise' leaves none")
    done = pd.DataFrame({"missing": gaps.sum(axis=0), "policy": policies, "r_squared": fits}, index=pd.Index(assets))
    rows = labels_of(as_pandas(returns), 0)
    shape = (int(keep.sum()), *array.shape[1:])
    return CompleteReturns(
        returns=with_labels(table[keep].reshape(shape), None if rows is None else rows[keep], columns),
        is_filled=gaps[keep].reshape(shape),
        done=done,
        n_dropped=int((~keep).sum()),
        has_noise=generator is not None,
    )


def _policies(policy: Any, assets: list[Any], has_gaps: np.ndarray) -> list[str]:
    """Policy of each asset; "" for one without a gap in a mapping that does not name it."""
    if not isinstance(policy, Mapping):
        one = one_of(policy, get_args(Filling), "policy")
        return [one if has_gap else "" for has_gap in has_gaps]
    unknown = [asset for asset in policy if asset not in assets]
    if unknown:
        raise InputError(f"policy names {shown(unknown[0])}, which returns does not have")
    without = [asset for asset, has_gap in zip(assets, has_gaps, strict=True) if has_gap and asset not in policy]
    if without:
        raise InputError(f"policy has nothing for {shown(without[0])}, which has gaps")
    return [one_of(policy[a], get_args(Filling), f"policy[{shown(a)}]") if a in policy else "" for a in assets]


def _places(proxies: Any, assets: list[Any], j: int) -> list[int]:
    """Columns of the proxies of an asset."""
    if not isinstance(proxies, Mapping) or assets[j] not in proxies:
        raise InputError(
            f"proxies has nothing for {shown(assets[j])}; give a mapping of asset to the assets that stand for it"
        )
    named = proxies[assets[j]]
    names = list(named) if isinstance(named, (list, tuple)) else [named]
    strange = [name for name in names if name not in assets or name == assets[j]]
    if strange or not names:
        raise InputError(f"proxies[{shown(assets[j])}] is {shown(named)}; name other assets of returns")
    return [assets.index(name) for name in names]


def _by_proxies(
    table: np.ndarray, j: int, places: list[int], assets: list[Any], rng: np.random.Generator | None
) -> float:
    """Fill a column by regression on others, and return the share of its variance that they explain."""
    known, missing = ~np.isnan(table[:, [j, *places]]).any(axis=1), np.isnan(table[:, j])
    if np.isnan(table[missing][:, places]).any():
        row = int(np.flatnonzero(missing & np.isnan(table[:, places]).any(axis=1))[0])
        raise InputError(f"the proxies of {shown(assets[j])} have a gap in row {row} too; give others")
    if known.sum() < len(places) + 2:
        raise InputError(
            f"the asset {shown(assets[j])} and its proxies have in common {known.sum()} of the {len(places) + 2} periods needed"
        )
    design = np.column_stack([np.ones(len(table)), table[:, places]])
    slopes = np.linalg.lstsq(design[known], table[known, j], rcond=None)[0]
    residuals = table[known, j] - design[known] @ slopes
    total = float(((table[known, j] - table[known, j].mean()) ** 2).sum())
    table[missing, j] = design[missing] @ slopes
    if rng is not None:
        scale = np.sqrt(len(residuals) / (len(residuals) - len(slopes)))  # residuals are smaller than the noise
        table[missing, j] += scale * rng.choice(residuals, int(missing.sum()))
    return 1.0 - float(residuals @ residuals) / total if total > 0.0 else np.nan


def _by_likelihood(table: np.ndarray, columns: list[int], returns: Any, rng: np.random.Generator | None) -> None:
    """Fill the gaps of some columns by what is expected given the returns of the period, with normal noise if asked for."""
    if not columns:
        return
    model = incomplete_covariance(with_labels(table, None, labels_of(returns, 1) if np.ndim(returns) == 2 else None))
    mean, covariance = np.asarray(model.mean), np.asarray(model.covariance)
    for seen, missing, rows in groups_of_gaps(table):
        gone = np.intersect1d(missing, columns)
        if len(gone):
            slopes = np.linalg.pinv(covariance[np.ix_(seen, seen)], hermitian=True) @ covariance[np.ix_(seen, gone)]
            values = mean[gone] + (table[np.ix_(rows, seen)] - mean[seen]) @ slopes
            if rng is not None:
                left = covariance[np.ix_(gone, gone)] - covariance[np.ix_(gone, seen)] @ slopes
                values += rng.multivariate_normal(np.zeros(len(gone)), left, len(rows), method="eigh")
            table[np.ix_(rows, gone)] = values
