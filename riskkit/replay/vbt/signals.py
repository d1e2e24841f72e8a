"""vectorbt strategies of signals or of target positions under limits: as `vbt.Portfolio.from_signals` and `from_orders`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from riskkit._check import InputError, instance, one_of, optional
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.vbt.limited_backtest import LimitedBacktest
from riskkit.replay.vbt.run_with_limits import run_with_limits

Direction = Literal["longonly", "shortonly", "both"]
TargetType = Literal["targetamount", "targetvalue", "targetpercent"]
ORDER_OPTIONS = ("fees", "fixed_fees", "slippage", "min_size", "max_size", "size_granularity")
STOPS = ("sl_stop", "sl_trail", "tp_stop", "signal_func_nb", "order_mode", "price", "val_price")
DIGITS = 7  # of the largest price, if ticks are chosen


def run_signals_with_limits(
    rules: RuleSet,
    close: Any,
    entries: Any,
    exits: Any = False,
    short_entries: Any = None,
    short_exits: Any = None,
    *,
    size: Any = np.inf,
    direction: Direction = "longonly",
    accumulate: bool = False,
    tick: Any = None,
    lot: Any = None,
    quantum: Any = None,
    about: Mapping[str, Any] | None = None,
    compiled: Tier = "auto",
    **options: Any,
) -> LimitedBacktest:
    """Run entry and exit signals with each of their orders checked by rules first.

    The call is that of ``vbt.Portfolio.from_signals``, with the rules first, and without limits that bind its portfolio is
    the same. A refused entry leaves the strategy flat until its next entry signal.

    Parameters
    ----------
    rules : RuleSet
        The limits, in their declared order.
    close : Series or DataFrame of shape (n_bars, n_columns)
        Closes; a DatetimeIndex gives the times (UTC without a zone). Orders are at the close of their bar.
    entries, exits : Series or DataFrame of bool, or bool
        Signals, aligned with `close` as vectorbt aligns them.
    short_entries, short_exits : Series or DataFrame of bool, optional
        Signals of short positions; `entries` and `exits` are then those of long ones.
    size : float or array
        Amount of an order; by default all the cash.
    direction : {"longonly", "shortonly", "both"}
        Of `entries` and `exits` alone: the side of positions, or that an exit turns them round.
    accumulate : bool
        True adds to a position at each entry.
    tick, lot : str, Decimal or float, optional
        Steps of prices and sizes, to which both are rounded; by default those of the closes, and 1 for sizes in whole
        numbers or else at most a millionth of the largest size that the cash buys.
    quantum, about, compiled
        As in `run_with_limits`.
    **options
        ``fees``, ``fixed_fees``, ``slippage``, ``min_size``, ``max_size`` and ``size_granularity`` of orders, as numbers, and
        what ``from_order_func`` takes: ``init_cash``, ``freq``, ``cash_sharing``, ``group_by``, ...

    Returns
    -------
    LimitedBacktest
        The portfolio, the decisions, and the answers to the strategy.

    Raises
    ------
    ImportError
        If vectorbt is not installed.
    InputError
        If an option is one of stops or prices, or as in `run_with_limits`.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> close = pd.Series([10.0, 11.0, 12.0, 11.0], pd.date_range("2024-01-01", periods=4), name="X")
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> found = run_signals_with_limits(rules, close, close > 10.5, close < 11.5, size=8)  # doctest: +SKIP
    >>> found.result.refusals_by_rule()  # doctest: +SKIP
    {'size': 2}
    """
    vbt = optional("vectorbt", "notebooks")
    one_of(direction, ("longonly", "shortonly", "both"), "direction")
    if (short_entries is not None or short_exits is not None) and direction != "longonly":
        raise InputError(f"direction={direction!r} is of entries and exits alone; leave it out beside short ones")
    signals = [
        entries,
        exits,
        False if short_entries is None else short_entries,
        False if short_exits is None else short_exits,
    ]
    close, *aligned = vbt.base.reshape_fns.broadcast(close, *signals, size)
    *flags, amounts = map(_columns, aligned)
    order = _SignalOrders(
        [flag.astype(bool) for flag in flags], amounts, direction, accumulate, _order_options(options)
    )
    steps = {"tick": tick, "lot": lot, "quantum": quantum}
    return _run(rules, close, order, amounts, steps, options, about=about, compiled=compiled)


def run_targets_with_limits(
    rules: RuleSet,
    close: Any,
    targets: Any,
    *,
    size_type: TargetType = "targetamount",
    tick: Any = None,
    lot: Any = None,
    quantum: Any = None,
    about: Mapping[str, Any] | None = None,
    compiled: Tier = "auto",
    **options: Any,
) -> LimitedBacktest:
    """Run target positions with each order that leads to them checked by rules first.

    The call is that of ``vbt.Portfolio.from_orders`` with a target as its size. A target that was refused is asked for
    again at the next bar that has one.

    Parameters
    ----------
    rules : RuleSet
        The limits, in their declared order.
    close : Series or DataFrame of shape (n_bars, n_columns)
        Closes, as in `run_signals_with_limits`.
    targets : array, Series or DataFrame
        Position wanted after each bar, negative for a short one; NaN wants nothing.
    size_type : {"targetamount", "targetvalue", "targetpercent"}
        Targets in shares, in money, or as a fraction of the value of the account.
    tick, lot, quantum, about, compiled, **options
        As in `run_signals_with_limits`.

    Returns
    -------
    LimitedBacktest
        The portfolio, the decisions, and the answers to the strategy.

    Raises
    ------
    ImportError, InputError
        As `run_signals_with_limits`.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> close = pd.Series([10.0, 11.0, 12.0], pd.date_range("2024-01-01", periods=3), name="X")
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> run_targets_with_limits(rules, close, [4, 12, 8]).portfolio.assets().tolist()  # doctest: +SKIP
    [4.0, 4.0, 8.0]
    """
    vbt = optional("vectorbt", "notebooks")
    one_of(size_type, ("targetamount", "targetvalue", "targetpercent"), "size_type")
    close, aligned = vbt.base.reshape_fns.broadcast(close, targets)
    wanted, fields = _columns(aligned).astype(float), _order_options(options)
    kind = {"targetamount": "TargetAmount", "targetvalue": "TargetValue", "targetpercent": "TargetPercent"}[size_type]

    def order(c: Any) -> Any:
        from vectorbt.portfolio.enums import Order, SizeType

        return Order(size=wanted[c.i, c.col], size_type=getattr(SizeType, kind), **fields)

    amounts = wanted if size_type == "targetamount" else np.array([np.inf])
    steps = {"tick": tick, "lot": lot, "quantum": quantum}
    return _run(rules, close, order, amounts, steps, options, about=about, compiled=compiled)


class _SignalOrders:
    """Orders of signals, found by vectorbt's own functions."""

    def __init__(
        self, flags: list[np.ndarray], size: np.ndarray, direction: str, accumulate: bool, fields: dict[str, float]
    ) -> None:
        self.flags, self.size, self.direction, self.fields = flags, size, direction, fields
        self.accumulate = int(accumulate)

    def __call__(self, c: Any) -> Any:
        from vectorbt.portfolio import nb
        from vectorbt.portfolio.enums import Direction, NoOrder, Order, SizeType

        held, at = float(c.last_position[c.col]), (c.i, c.col)
        long_entry, long_exit, short_entry, short_exit = (bool(flag[at]) for flag in self.flags)
        if self.direction == "both":
            short_entry, long_exit = long_exit, False
        elif self.direction == "shortonly":
            long_entry, long_exit, short_entry, short_exit = False, False, long_entry, long_exit
        accumulate = self.accumulate
        if long_entry or short_entry:
            long_entry, long_exit = nb.resolve_signal_conflict_nb(held, long_entry, long_exit, Direction.LongOnly, 0)
            short_entry, short_exit = nb.resolve_signal_conflict_nb(
                held, short_entry, short_exit, Direction.ShortOnly, 0
            )
            long_entry, short_entry = nb.resolve_dir_conflict_nb(held, long_entry, short_entry, 0)
            long_entry, long_exit, short_entry, short_exit, accumulate = nb.resolve_opposite_entry_nb(
                held, long_entry, long_exit, short_entry, short_exit, OPPOSITE, accumulate
            )
        size, kind, side = nb.signals_to_size_nb(
            held, long_entry, long_exit, short_entry, short_exit, float(self.size[at]), SizeType.Amount, accumulate,
            float(c.last_val_price[c.col]),
        )  # fmt: skip
        if size == 0:
            return NoOrder
        return Order(size=-size if side == Direction.ShortOnly else size, size_type=kind, direction=side, **self.fields)


OPPOSITE = 4  # OppositeEntryMode.ReverseReduce, vectorbt's default


def _order_options(options: dict[str, Any]) -> dict[str, float]:
    """Take the options of orders out; those that are not given are vectorbt's settings."""
    import vectorbt as vbt

    for name in STOPS:
        if name in options:
            raise InputError(
                f"{name}= cannot be set: orders are at the close; write an order function for run_with_limits"
            )
    fields = {name: options.pop(name, vbt.settings["portfolio"][name]) for name in ORDER_OPTIONS}
    for name, value in fields.items():
        if np.ndim(value):
            raise InputError(f"{name} has shape {np.shape(value)}; give one number")
    return {name: float(value) for name, value in fields.items()}


def _run(
    rules: RuleSet,
    close: Any,
    order: Callable[[Any], Any],
    amounts: np.ndarray,
    steps: dict[str, Any],
    options: dict[str, Any],
    *,
    about: Mapping[str, Any] | None,
    compiled: Tier,
) -> LimitedBacktest:
    """Run an order function whose account is valued at the close of the bar, with the steps that are not given chosen."""
    instance(rules, RuleSet, "rules")
    values = _columns(close).astype(float)

    def value_at_close(c: Any, *args: Any) -> Any:
        known = np.isfinite(values[c.i])
        known[: c.from_col] = known[c.to_col :] = False
        c.last_val_price[known] = values[c.i, known]
        return args

    if steps["lot"] is None:
        steps["lot"] = _lot(values, amounts, options.get("init_cash", 100.0))
    if steps["tick"] is None and not np.array_equal(np.round(values, 6), values, equal_nan=True):
        steps["tick"] = _power(float(np.nanmax(values)), DIGITS)
    given = {"pre_segment_func_nb": value_at_close, **options}
    return run_with_limits(rules, close, order, **steps, about=about, compiled=compiled, **given)


def _columns(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array[:, None] if array.ndim == 1 else array


def _lot(close: np.ndarray, amounts: np.ndarray, cash: Any) -> str:
    """1 for whole amounts, or else a power of ten, at most a ten-millionth of what the least cash buys."""
    given = amounts[np.isfinite(amounts)]
    if np.isfinite(amounts[~np.isnan(amounts)]).all() and (given == np.round(given)).all():
        return "1"
    least = float(np.min(np.asarray(cash, float))) if not isinstance(cash, str) else 1.0
    bought = min([least / float(np.nanmax(close)), *np.abs(given[given != 0]).tolist()])
    return _power(bought, DIGITS + 1)


def _power(value: float, digits: int) -> str:
    """The power of ten that is the last of so many digits of a number, at least 1e-9."""
    return f"1e{max(-9, math.floor(math.log10(value)) + 1 - digits)}" if value > 0.0 else "1e-9"
