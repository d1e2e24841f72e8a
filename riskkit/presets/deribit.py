"""The limits of Deribit."""

from __future__ import annotations

from typing import Any

from riskkit._check import Amount, Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def deribit(
    *, quantity: Amount | None = 50, delta: Amount | None = None, window: Duration = "1s", frozen: Duration = "2s"
) -> RuleSet:
    """Deribit's market-maker protection: fills of more than `quantity` in a sliding window freeze quoting.

    So does a net delta of the fills that meets `delta` in a window that starts with the first one; None is no such limit.
    ``frozen=0`` freezes until a manual reset.

    References
    ----------
    docs.deribit.com and docs.paradex.trade, market-maker protection (quantity limit, delta limit, interval, frozen time).

    Examples
    --------
    >>> [rule.id for rule in deribit(delta=10)]
    ['mmp', 'delta']
    """
    times: dict[str, Any] = {"window_ns": window, "freeze_ns": frozen}
    first = {"window": "fixed_from_first", "breach": "reach"}
    return rule_set(
        entry("mmp", "mmp", action="PAUSE", qty_limit=quantity, **times) if quantity is not None else None,
        entry("delta", "mmp", action="PAUSE", delta_limit=delta, **times, **first) if delta is not None else None,
    )


def deribit_margin(
    *, initial: Amount | None = "0.02", maintenance: Amount | None = "0.01", per_coin: Amount = "0.00005"
) -> RuleSet:
    """Deribit's margin of linear BTC contracts: a rate for no size, and `per_coin` more for each coin; None is no such margin.

    References
    ----------
    Deribit, Linear Perpetual: 25 coins at 100,000 need 53,125 and 28,125; 350 coins 1,312,500.

    Examples
    --------
    >>> [rule.type for rule in deribit_margin()]
    ['initial_margin', 'maintenance_margin']
    """
    model: dict[str, Any] = {"model": "linear_tier", "per_unit": per_coin}
    return rule_set(
        entry("initial", "initial_margin", base=initial, **model) if initial is not None else None,
        entry("maintenance", "maintenance_margin", base=maintenance, **model) if maintenance is not None else None,
    )
