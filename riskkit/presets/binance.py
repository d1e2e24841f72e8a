"""The limits of Binance: filters of orders, market-maker protection, margin and position tiers."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil
from typing import Any

from riskkit._check import Amount, Duration, InputError, shown
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet

JUNE_2021 = ((50_000, "0.004"), (250_000, "0.005"), (1_000_000, "0.01"), (5_000_000, "0.025"), (20_000_000, "0.05"))
TIERS = ((50_000, 125), (250_000, 100), (1_000_000, 50), (5_000_000, 20), (20_000_000, 10))
BILLION = 10**9


def binance_margin(
    *,
    brackets: Iterable[tuple[Amount, Amount]] = JUNE_2021,
    leverage: int | None = None,
    tiers: Iterable[tuple[Amount, int]] = TIERS,
) -> RuleSet:
    """Margin of Binance's USDT-M futures: below the maintenance, at the liquidation price, only reducing orders pass.

    With a chosen leverage a position needs its notional over it, and a notional above the tier of that leverage is refused; exactly
    its bound passes.

    Parameters
    ----------
    brackets : rows of (notional up to, rate)
        Of the maintenance margin of the contract, by default those of BTCUSDT of June 2021.
    leverage : int, optional
        Leverage that the trader has chosen.
    tiers : rows of (notional up to, largest leverage)
        Position tiers of the contract, by default those of BTCUSDT of the same time.

    References
    ----------
    Binance, Leverage and margin of USDT-M futures (FAQ 360033162192); How to calculate liquidation price.

    Examples
    --------
    >>> [rule.action for rule in binance_margin(leverage=20)]
    ['REJECT', 'REDUCE_ONLY']
    """
    rows = [list(row) for row in brackets]
    initial: dict[str, Any] | None = None
    if leverage is not None:
        rate = Fraction(ceil(Fraction(BILLION, leverage)), BILLION)
        initial = entry("initial", "initial_margin", model="brackets", table=[[_cap(leverage, tiers), rate]])
    return rule_set(initial, entry("maintenance", "maintenance_margin", model="brackets", table=rows))


def _cap(leverage: int, tiers: Iterable[tuple[Amount, int]]) -> Amount:
    """The largest notional of a leverage."""
    rows = list(tiers)
    caps = [notional for notional, most in rows if 1 <= leverage <= most]
    if not caps:
        raise InputError(f"leverage={shown(leverage)} is in no tier; the largest is {max(most for _, most in rows)}")
    return caps[-1]


def binance_filters(
    *,
    up: Amount | None = "1.3",
    down: Amount | None = "0.7",
    minutes: int = 5,
    smallest: Amount | None = 10,
    largest: Amount | None = 10_000,
    orders: int | None = 25,
    all_orders: int | None = 1000,
    position: Amount | None = None,
) -> RuleSet:
    """Binance's spot filters: percent price, notional, number of open orders, position; exactly a bound passes.

    The defaults are those of the examples of its documentation. The source weights the trades of the minutes by their volume, which
    prices of a log do not have: here each counts once; without a trade the filter passes. Market orders are valued at the market
    (``applyMinToMarket`` and ``applyMaxToMarket``), and pass where none is known.

    Parameters
    ----------
    up, down : multiple
        Of the mean price (PERCENT_PRICE: ``multiplierUp``, ``multiplierDown``).
    minutes : int
        ``avgPriceMins``; 0 is the last price.
    smallest, largest : money
        NOTIONAL: ``minNotional``, ``maxNotional``.
    orders, all_orders : int
        MAX_NUM_ORDERS of a symbol, EXCHANGE_MAX_NUM_ORDERS of all.
    position : quantity, optional
        MAX_POSITION: what is held and all open buys.

    References
    ----------
    binance/binance-spot-api-docs, filters.md.

    Examples
    --------
    >>> [rule.id for rule in binance_filters(position=10)]
    ['percent_price', 'min_notional', 'max_notional', 'open_orders', 'all_open_orders', 'position']
    """
    mean: dict[str, Any] = {"reference": "mean", "window_ns": f"{minutes}min"} if minutes else {}
    band: dict[str, Any] = {name: bound for name, bound in (("up", up), ("down", down)) if bound is not None}
    unpriced: dict[str, Any] = {"on_missing_price": "allow"}
    return rule_set(
        entry("percent_price", "price_band", "instrument", **band, **mean, **unpriced) if band else None,
        entry("min_notional", "min_order_notional", limit=smallest, **unpriced) if smallest is not None else None,
        entry("max_notional", "max_order_notional", limit=largest, **unpriced) if largest is not None else None,
        entry("open_orders", "active_orders", "account_instrument", limit=orders) if orders is not None else None,
        entry("all_open_orders", "active_orders", limit=all_orders) if all_orders is not None else None,
        entry("position", "position_limit", "account_instrument", limit=position) if position is not None else None,
    )


def binance_mmp(
    *,
    quantity: Amount | None = 2,
    delta: Amount | None = "2.3",
    window: Duration = "3s",
    frozen: Duration = "300s",
) -> RuleSet:
    """Market-maker protection of Binance's options: fills of more than a quantity, or a larger net delta, freeze an underlying.

    The defaults are those of the example of its documentation; None is no such limit. ``frozen=0`` freezes until a manual reset.
    An option's underlying is its ``product``, and its ``delta`` is data.

    References
    ----------
    Binance Open Platform, Options, Set Market Maker Protection Config (POST /eapi/v1/mmpSet).

    Examples
    --------
    >>> binance_mmp()[0].scope
    'account_product'
    """
    limits = {name: limit for name, limit in (("qty_limit", quantity), ("delta_limit", delta)) if limit is not None}
    times: dict[str, Any] = {"window_ns": window, "freeze_ns": frozen}
    return rule_set(entry("mmp", "mmp", "account_product", action="PAUSE", **limits, **times))
