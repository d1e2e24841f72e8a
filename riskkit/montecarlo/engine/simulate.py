"""Monte Carlo VaR and ES: scenarios in chunks, in memory that is independent of their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, whole_number, with_labels
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence
from riskkit.montecarlo.draws import BLOCK, SobolDraws, Source, Variates, source_of
from riskkit.montecarlo.engine.estimate import ControlSums, Estimate, controlled_estimate, plain_estimate
from riskkit.montecarlo.engine.result import SimulationResult
from riskkit.montecarlo.engine.tail import Tail, tail_capacity
from riskkit.montecarlo.models.return_model import ReturnModel, by_blocks, positions_of
from riskkit.pnl import DeltaGamma, aggregate, in_asset_order, scenario
from riskkit.var._inputs import Confidences, read_confidences


def simulate_risk(
    model: ReturnModel,
    book: Any,
    n_scenarios: int | None = None,
    *,
    draws: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    antithetic: bool = False,
    control_variate: Any = None,
    hierarchy: Any = None,
    total: Any = None,
    chunk_size: int = BLOCK,
    checkpoints: int = 24,
) -> SimulationResult:
    """VaR and ES of a portfolio under a return model, with standard errors and convergence.

    Scenarios are drawn and valued chunk by chunk, and only the largest losses are stored: 10^7 scenarios of 50 assets
    need some tens of megabytes.

    The numbers do not depend on `chunk_size`: a Generator is split into one stream per kind of variate, each drawn row
    by row, and products are taken over rows in fixed blocks, so that even the rounding is the same. (This does not
    hold for a `revalue` that rounds by chunk or draws random numbers.)

    Parameters
    ----------
    model : ReturnModel
        Return model, as `NormalReturns`, `StudentTReturns`, `GaussianCopula`, `StudentTCopula`, `BlockBootstrap`,
        `GeometricBrownianMotion` or `JumpDiffusion`; the result has its horizon.
    book : positions, DeltaGamma or callable
        Money held, (n_assets,) or (n_books, n_assets), matched by name where both sides are labelled; a
        `riskkit.pnl.DeltaGamma`; or ``revalue(scenarios)``, a function of (n, n_assets) returns (a DataFrame if the
        model has labels) that returns P&L, (n,) or (n, n_books).
    n_scenarios : int
        Number of scenarios; optional with an array of draws.
    draws : numpy.random.Generator, Sobol, or (n, model.needs.columns) array
        Source of the random variates. The same seed gives the same numbers; a second call with the same generator
        draws new ones.
    confidence : float or sequence of float
        0.99 for 99 %.
    antithetic : bool
        Draw scenarios in mirrored pairs; the standard error counts pairs.
    control_variate : (n_assets,), optional
        Positions of a correlated linear portfolio (for instance the deltas), whose exact VaR and ES the model gives
        (`NormalReturns`, `StudentTReturns`). Not with `antithetic` or Sobol points.
    hierarchy : mapping, optional
        Books below each node, as in `riskkit.pnl.aggregate`; the result then has all nodes.
    total : label, optional
        Name of the sum of all books.
    chunk_size : int
        Number of scenarios drawn and revalued at a time, rounded up to blocks of 4,096.
    checkpoints : int
        Number of points of the convergence plot.

    Returns
    -------
    SimulationResult
        Money, losses positive. The standard errors are those of the simulation under a true model. That of ES is nan
        for a tail of a single scenario: use at least a few dozen times 1 / (1 - confidence) scenarios.

    Raises
    ------
    InputError
        Labels or shapes that do not fit, P&L that is NaN, draws that do not fit the model, or options that exclude each
        other.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, sections 4.1-4.2, 5.4 and 9.1-9.2.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.montecarlo import NormalReturns
    >>> risk = simulate_risk(NormalReturns([[0.0004]]), [100.0], 100_000, draws=np.random.default_rng(7))
    >>> round(risk.var, 1), round(risk.var_standard_error, 2)  # exactly: 4.65
    (4.7, 0.02)
    """
    confidences = read_confidences(confidence)
    chunk = -(-whole_number(chunk_size, "chunk_size") // BLOCK) * BLOCK
    model = model._over_horizon(draws)
    source, n = source_of(draws, model.needs, n_scenarios, antithetic)
    value = _valuer(model, book, hierarchy, total)
    control = None if control_variate is None else _Control(model, control_variate, confidences, source)
    stops = _checkpoints(n, whole_number(checkpoints, "checkpoints"), source.unit)
    runs: list[_Run] = []
    names: Any = None
    path: list[list[list[Estimate]]] = []
    for start in range(0, n, chunk):
        drawn = source.take(min(chunk, n - start))
        pnl, names = value(drawn)
        companions = None if control is None else -control.pnl(drawn)
        table = pnl.reshape(len(pnl), -1)
        runs = runs or [_Run(n, confidences.levels, source.unit, control) for _ in range(table.shape[1])]
        for first, last in _pieces(start, start + len(table), stops):
            piece = slice(first - start, last - start)
            for run, column in zip(runs, table.T, strict=True):
                run.add(-column[piece], first, None if companions is None else companions[piece])
            if last in stops:
                path.append([run.estimates(last) for run in runs])
    single = pnl.ndim == 1
    return SimulationResult.of(
        confidences,
        None if single else (range(table.shape[1]) if names is None else names),
        labelled=names is not None,
        path=np.array(path),
        moments=np.array([run.moments(n) for run in runs]),
        model=model._title(),
        drawn=_drawn(draws, antithetic, control is not None),
        n_scenarios=n,
        stops=tuple(stops),
    )


def _valuer(model: ReturnModel, book: Any, hierarchy: Any, total: Any) -> Callable[[Variates], tuple[np.ndarray, Any]]:
    """Return a function from draws to P&L (n,) or (n, n_books) and the names of the books."""
    if isinstance(book, DeltaGamma) or callable(book):
        value = _scenario_valuer(model, book)
    else:
        held = finite_array(in_asset_order(book, model.labels, "positions"), "positions")
        if held.ndim not in (1, 2) or held.shape[-1] != model.n_assets:
            raise InputError(
                f"positions has shape {held.shape} for {model.n_assets} assets; give (n_assets,) or (n_books, n_assets)"
            )
        linear, names = model.linear(held.T), labels_of(book, 0) if held.ndim == 2 else None

        def value(drawn: Variates) -> tuple[np.ndarray, Any]:
            return linear(drawn), names

    if hierarchy is None and total is None:
        return value

    def nodes(drawn: Variates) -> tuple[np.ndarray, Any]:
        pnl, names = value(drawn)
        if names is None:
            raise InputError(
                "the books have no names; a hierarchy needs positions with labels or revalue with named columns"
            )
        summed = aggregate(with_labels(pnl, range(len(pnl)), names), hierarchy, total=total)
        return summed.to_numpy(), summed.columns

    return nodes


def _scenario_valuer(model: ReturnModel, book: Any) -> Callable[[Variates], tuple[np.ndarray, Any]]:
    # A delta-gamma form multiplies rows, so it is valued in fixed blocks; a function gets the chunk at once.
    fixed = isinstance(book, DeltaGamma)

    def value(drawn: Variates) -> tuple[np.ndarray, Any]:
        names: Any = None

        def priced(returns: np.ndarray) -> np.ndarray:
            nonlocal names
            pnl = scenario(book, with_labels(returns, None, model.labels))
            names = labels_of(pnl, 1)
            return np.asarray(pnl)

        returns = model.returns(drawn)
        return (by_blocks(returns, priced) if fixed else priced(returns)), names

    return value


class _Control:
    """Control variate: a linear portfolio with known risk, valued in the same scenarios."""

    def __init__(self, model: ReturnModel, positions: Any, confidences: Confidences, source: Source) -> None:
        if source.unit != 1:
            raise InputError("control_variate needs independent scenarios, without antithetic and Sobol points")
        held = positions_of(positions, model, "control_variate")
        self.pnl = model.linear(held)
        self.risks = [model.linear_risk(held, level) for level in confidences.levels]


class _Run:
    """Losses of one book: the largest ones, and running sums."""

    def __init__(self, n: int, levels: tuple[float, ...], unit: int, control: _Control | None) -> None:
        self._levels, self._unit, self._control = levels, unit, control
        self._tail = Tail(tail_capacity(n, min(levels)), companions=control is not None)
        self._sums = np.zeros((len(levels), 3))
        self._shift: float | None = None
        self._first = self._second = 0.0

    def add(self, losses: np.ndarray, first_row: int, companions: np.ndarray | None) -> None:
        self._tail.add(losses, first_row, companions)
        if self._shift is None:
            self._shift = float(losses.mean())  # keeps the squares small
        centred = losses - self._shift
        self._first += float(centred.sum())
        self._second += float(centred @ centred)
        if companions is not None and self._control is not None:
            for sums, (var, _) in zip(self._sums, self._control.risks, strict=True):
                excess = companions[companions > var] - var
                sums += np.array([len(excess), excess.sum(), excess @ excess])

    def moments(self, n: int) -> tuple[float, float]:
        """Mean P&L, and its volatility (n - 1)."""
        mean = self._first / n
        return -(float(self._shift or 0.0) + mean), math.sqrt(max(self._second / n - mean**2, 0.0) * n / (n - 1))

    def estimates(self, n: int) -> list[Estimate]:
        """Estimate each confidence from the first `n` scenarios."""
        losses, rows, companions = self._tail.largest(tail_capacity(n, min(self._levels)))
        if self._control is None:
            return [plain_estimate(losses, rows, n, level, self._unit) for level in self._levels]
        known = zip(self._levels, self._control.risks, self._sums, strict=True)
        return [
            controlled_estimate(losses, companions, n, level, ControlSums(*risk, int(sums[0]), *sums[1:]))
            for level, risk, sums in known
        ]


def _checkpoints(n: int, count: int, unit: int) -> list[int]:
    """Numbers of scenarios at which to estimate, evenly spaced on a log scale, in complete units, ending with `n`."""
    first = min(n, max(2 * unit, 100))
    marks = np.geomspace(first, n, count) if count > 1 else np.array([n])
    return sorted({min(n, max(unit, int(mark) // unit * unit)) for mark in marks} | {n})


def _pieces(start: int, stop: int, stops: list[int]) -> Iterator[tuple[int, int]]:
    """Cut a range at multiples of `BLOCK` and at checkpoints, so that the cuts do not depend on the chunks."""
    cuts = {start, stop, *range(start, stop, BLOCK), *(mark for mark in stops if start < mark < stop)}
    ordered = sorted(cuts)
    yield from zip(ordered[:-1], ordered[1:], strict=True)


def _drawn(draws: Any, antithetic: bool, controlled: bool) -> str:
    kind = (
        f"Sobol, {draws.replicates} scramblings"
        if isinstance(draws, SobolDraws)
        else type(draws.bit_generator).__name__
        if isinstance(draws, np.random.Generator)
        else "given draws"
    )
    return kind + (", antithetic" if antithetic else "") + (", control variate" if controlled else "")
